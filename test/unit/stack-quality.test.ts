import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Stack } from '../../lib/model/message.ts';
import { StackQuality } from '../../lib/shapes/stack-quality.ts';

const frame = (symbol: string | undefined, module = '/bin/one') => ({
  address: 1n,
  module,
  ...(symbol !== undefined && { symbol }),
});
const whole: Stack = [frame('work'), frame('main'), frame(undefined, '/usr/lib/x86_64-linux-gnu/libc.so.6')];
const cut: Stack = [frame('work'), frame('callback')];
const kernel: Stack = [frame('schedule', undefined)];

function said(stacks: readonly (readonly [kernel: Stack, user: Stack, weight: number])[], hidden = false): string[] {
  const quality = new StackQuality('samples');
  for (const [inKernel, user, weight] of stacks) {
    quality.add({ kernel: inKernel, user }, weight);
  }
  return [...quality.warnings(hidden)].map(({ text, hint }) => `${text} (${hint})`);
}

test('whole stacks, and the lack of any, are nothing to warn of', () => {
  assert.deepEqual(said([]), []);
  assert.deepEqual(
    said([
      [kernel, whole, 5],
      ['none', whole, 5],
      [kernel, 'none', 5],
      ['none', 'none', 5],
    ]),
    [],
  );
});

test('what had no place in the table is counted by its weight, whichever side it is', () => {
  assert.deepEqual(
    said([
      ['missed', whole, 3],
      [kernel, 'missed', 4],
      ['missed', 'missed', 5],
      [kernel, whole, 30],
    ]),
    ['12 of 42 samples have no stack: there was no place in the table (--stack-storage-size makes the table larger)'],
  );
});

test('the share of the user stacks that was cut is by weight, and of those that there are', () => {
  const hint = '(programs compiled with -fno-omit-frame-pointer show whole stacks)';
  assert.deepEqual(
    said([
      [kernel, cut, 1],
      [kernel, whole, 3],
      [kernel, 'none', 100],
    ]),
    [`25 % of the user stacks do not reach the start of their thread ${hint}`],
  );
  for (const last of ['_start', '__libc_start_main', 'clone3', 'start_thread']) {
    assert.deepEqual(said([['none', [frame('work'), frame(last)], 1]]), [], last);
  }
  assert.equal(said([['none', [frame('work'), frame(undefined)], 1]]).length, 1, 'no name in no C library');
});

test('addresses that the kernel hides are said with how to see them', () => {
  assert.deepEqual(said([[kernel, whole, 1]], true), [
    'the kernel hides its addresses, so its functions have no names (sysctl kernel.kptr_restrict=1 shows them to root)',
  ]);
});

test('that nothing has a stack of the kernel is said where all should', () => {
  const warnings = (stacks: readonly Stack[]) => {
    const quality = new StackQuality('events');
    for (const one of stacks) {
      quality.add({ kernel: one, user: whole }, 1);
    }
    return [...quality.warnings(false, true)].map(({ text }) => text);
  };
  assert.deepEqual(warnings([]), []);
  assert.deepEqual(warnings(['none', kernel]), []);
  assert.deepEqual(warnings(['none', 'none']), ['none of 2 events has a stack of the kernel']);
});
