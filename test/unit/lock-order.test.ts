import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LockOrder } from '../../lib/model/lock-order.ts';

const edge = (held: string, wanted: string, pid = 1) => ({ pid, held, wanted });

test('the edge that closes a cycle tells it, once', () => {
  const order = new LockOrder();
  assert.equal(order.add(edge('a', 'b')), undefined);
  assert.equal(order.add(edge('b', 'c')), undefined);
  assert.equal(order.add(edge('a', 'c')), undefined);
  assert.deepEqual(order.add(edge('c', 'a')), [edge('c', 'a'), edge('a', 'c')]);
  assert.equal(order.add(edge('c', 'a')), undefined);
  assert.deepEqual(order.add(edge('b', 'a')), [edge('b', 'a'), edge('a', 'b')]);
});

test('longer cycles are found, the shortest way', () => {
  const order = new LockOrder();
  for (const [held, wanted] of ['ab', 'bc', 'cd', 'bd']) {
    assert.equal(order.add(edge(held ?? '', wanted ?? '')), undefined);
  }
  assert.deepEqual(order.add(edge('d', 'a')), [edge('d', 'a'), edge('a', 'b'), edge('b', 'd')]);
});

test('locks of other processes are others, and one that is gone is forgotten', () => {
  const order = new LockOrder();
  order.add(edge('a', 'b'));
  assert.equal(order.add(edge('b', 'a', 2)), undefined);
  order.add(edge('c', 'a'));
  assert.deepEqual(order.forget(1, 'a'), [edge('a', 'b'), edge('c', 'a')]);
  assert.equal(order.add(edge('b', 'a')), undefined);
  assert.deepEqual(order.add(edge('a', 'b')), [edge('a', 'b'), edge('b', 'a')]);
});
