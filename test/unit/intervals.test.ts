import assert from 'node:assert/strict';
import { test } from 'node:test';
import { KscopeError } from '../../lib/model/errors.ts';
import { intervalEnds, intervalPositionals } from '../../lib/shapes/intervals.ts';

async function ends(values: Readonly<Record<string, unknown>>, usual: number | undefined, signal: AbortSignal) {
  const found: boolean[] = [];
  for await (const { last } of intervalEnds(values, usual, signal)) {
    found.push(last);
  }
  return found;
}

test('without an interval there is one output, at the end', async () => {
  const end = new AbortController();
  let over = false;
  const found = ends({}, undefined, end.signal).then((all) => {
    over = true;
    return all;
  });
  await Promise.resolve();
  assert.equal(over, false);
  end.abort();
  assert.deepEqual(await found, [true]);
  assert.deepEqual(await ends({}, undefined, AbortSignal.abort()), [true]);
});

test('an interval of 0 is over at once, a negative one with the run', async () => {
  assert.deepEqual(await ends({ interval: 0 }, 3, new AbortController().signal), [true]);
  assert.deepEqual(await ends({ interval: -1 }, 0.001, AbortSignal.timeout(20)), [true]);
});

test('a number of intervals ends by itself, and only the last output is the last', async () => {
  const { signal } = new AbortController();
  const start = performance.now();
  assert.deepEqual(await ends({ interval: 0.02, intervals: 3 }, undefined, signal), [false, false, true]);
  assert.ok(performance.now() - start >= 59);
  assert.deepEqual(await ends({ intervals: 2 }, 0.001, signal), [false, true]);
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
  const found = ends({ interval: 1e8 }, undefined, end.signal);
  end.abort();
  assert.deepEqual(await found, [true]);
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
