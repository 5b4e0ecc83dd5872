import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Frame } from '../../lib/model/message.ts';
import { unhooked } from '../../lib/shapes/hooked-returns.ts';

const frame = (symbol: string): Frame => ({ address: 1n, symbol, module: 'program' });
const hook: Frame = { address: 2n, module: '[uprobes]' };

test('stacks have what was there before returns were hooked', () => {
  const names = (...args: Parameters<typeof unhooked>) =>
    unhooked(...args).map(({ symbol, module }) => symbol ?? module);
  const stack = [frame('f'), hook, frame('g'), hook, frame('main')];
  const [a, b] = [frame('a'), frame('b')];
  assert.deepEqual(names(stack, { returns: [a, b] }), ['f', 'a', 'g', 'b', 'main']);
  assert.deepEqual(names(stack, { caller: frame('own'), returns: [a, b] }), ['f', 'own', 'a', 'g', 'b', 'main']);
  assert.deepEqual(names(stack, { returns: [a] }), ['f', 'a', 'g', '[uprobes]', 'main'], 'more than were kept');
  assert.deepEqual(names(stack.slice(0, 1), { returns: [a] }), ['f']);
  assert.deepEqual(names([], { caller: a, returns: [] }), []);
});
