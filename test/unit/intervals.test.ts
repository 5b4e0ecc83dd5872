import assert from 'node:assert/strict';
import { test } from 'node:test';
import { KscopeError } from '../../lib/model/errors.ts';
import { intervalEnds, intervalPositionals } from '../../lib/shapes/intervals.ts';
import { deadline } from '../helpers/deadline.ts';

/** All ends of a run that is told to end after `stop` of them. */
async function ends(values: Record<string, unknown>, usual?: number, stop = Number.POSITIVE_INFINITY) {
  const end = new AbortController();
  const found: boolean[] = [];
  const run = async () => {
    for await (const { last } of intervalEnds(values, usual, end.signal)) {
      found.push(last);
      if (found.length === stop) {
        end.abort();
      }
    }
  };
  await deadline(run(), () => `after ${found.length} intervals`);
  return found;
}

test('without an interval there is one output, at the end', async () => {
  const end = new AbortController();
  const iterator = intervalEnds({}, undefined, end.signal);
  const first = iterator.next();
  assert.equal(await Promise.race([first, Promise.resolve('not yet')]), 'not yet');
  end.abort();
  assert.deepEqual(await deadline(first, () => 'the end is not seen'), { value: { last: true }, done: false });
  assert.equal((await iterator.next()).done, true);
});

test('an interval of 0 is over at once, a negative one with the run', async () => {
  assert.deepEqual(await ends({ interval: 0 }, 3), [true]);
  const negative = intervalEnds({ interval: -1 }, 0.001, AbortSignal.timeout(20));
  assert.deepEqual(await negative.next(), { value: { last: true }, done: false });
  assert.equal((await negative.next()).done, true);
});

test('a number of intervals ends by itself, and only the last output is the last', async () => {
  const start = performance.now();
  assert.deepEqual(await ends({ interval: 0.02, intervals: 3 }), [false, false, true]);
  assert.ok(performance.now() - start >= 59);
  assert.deepEqual(await ends({ interval: 0.01, intervals: 1 }), [true]);
});

test('outputs that take longer than an interval leave time for everything else', async () => {
  let others = 0;
  const timer = setInterval(() => others++, 1);
  const { signal } = new AbortController();
  for await (const _ of intervalEnds({ interval: 0.01, intervals: 4 }, undefined, signal)) {
    for (const until = performance.now() + 15; performance.now() < until; ) {
      // Busy.
    }
  }
  clearInterval(timer);
  assert.ok(others >= 3, String(others));
});

test('the end comes at once, also within a long interval', async () => {
  const end = new AbortController();
  const first = intervalEnds({ interval: 1e8 }, undefined, end.signal).next();
  end.abort();
  assert.deepEqual(await deadline(first, () => 'the end is not seen'), { value: { last: true }, done: false });
});

test('the usual interval is for who gives none', async () => {
  assert.deepEqual(await ends({ intervals: 2 }, 0.01), [false, true]);
  const begin = performance.now();
  await ends({ interval: 0.01, intervals: 2 }, 100);
  assert.ok(performance.now() - begin < 100_000);
});

test('who is told to end gets one more, for what the last interval has so far', async () => {
  assert.deepEqual(await ends({ interval: 0.01 }, undefined, 2), [false, false, true]);
});

test('a run that has ended before it began has one output', async () => {
  for (const values of [{}, { interval: 1000 }, { interval: 1000, intervals: 5 }]) {
    const found: boolean[] = [];
    for await (const { last } of intervalEnds(values, undefined, AbortSignal.abort())) {
      found.push(last);
    }
    assert.deepEqual(found, [true]);
  }
});

test('intervals are as long as they are said to be, and do not drift', async () => {
  const begin = performance.now();
  const length = 20;
  const end = new AbortController();
  let count = 0;
  for await (const _ of intervalEnds({ interval: length / 1000, intervals: 10 }, undefined, end.signal)) {
    count += 1;
    assert.ok(performance.now() - begin >= count * length - 1);
    // Somebody slow makes one interval late, not all that follow.
    for (const busy = performance.now(); count === 3 && performance.now() - busy < 2.5 * length; );
  }
  assert.equal(count, 10);
});

test('what is no interval and no count is refused', () => {
  const [interval, count] = intervalPositionals;
  assert.equal(interval?.parse('0.5'), 0.5);
  assert.equal(count?.parse('10'), 10);
  for (const text of ['0', '-1', '1e3', '', ' 1', 'x', '100000001']) {
    assert.throws(
      () => interval?.parse(text),
      (error) => error instanceof KscopeError && error.code === 'usage',
      text,
    );
  }
  for (const text of ['0', '-1', '1.5', '', '2147483648']) {
    assert.throws(
      () => count?.parse(text),
      (error) => error instanceof KscopeError && error.code === 'usage',
      text,
    );
  }
});
