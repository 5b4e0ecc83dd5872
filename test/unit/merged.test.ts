import assert from 'node:assert/strict';
import { test } from 'node:test';
import { merged } from '../../lib/shapes/merged.ts';

async function* upTo(last: number, closed: () => void): AsyncGenerator<number, void, void> {
  try {
    for (let number = 1; number <= last; number++) {
      yield number;
    }
  } finally {
    closed();
  }
}

test('all values of all generators come, each in its order', async () => {
  const seen: number[] = [];
  let closed = 0;
  const count = () => {
    closed++;
  };
  for await (const number of merged(upTo(3, count), upTo(0, count), upTo(100, count))) {
    seen.push(number);
  }
  assert.equal(seen.length, 103);
  assert.equal(closed, 3);
  assert.equal(Math.max(...seen), 100);
  for await (const number of merged(upTo(5, count), upTo(5, count))) {
    assert.equal(number, 1);
    break;
  }
  await new Promise(setImmediate);
  assert.equal(closed, 5, 'generators are closed when nobody wants more');
});

test('what a generator throws reaches the consumer', async () => {
  async function* broken(): AsyncGenerator<number, void, void> {
    yield 1;
    throw new Error('broken');
  }
  await assert.rejects(async () => {
    for await (const _ of merged(
      broken(),
      upTo(2, () => {}),
    )) {
    }
  }, /broken/);
});
