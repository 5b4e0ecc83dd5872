import assert from 'node:assert/strict';
import { test } from 'node:test';
import { countOf, fineBuckets, linearBuckets, log2Buckets, percentile } from '../../lib/model/histogram.ts';

test('buckets of powers of two go from 0 to the last that is not empty', () => {
  assert.deepEqual(log2Buckets([0, 0, 0]), []);
  assert.deepEqual(log2Buckets([3]), [{ from: 0, to: 1, count: 3 }]);
  assert.deepEqual(log2Buckets([0, 0, 5, 0, 1, 0]), [
    { from: 0, to: 1, count: 0 },
    { from: 2, to: 3, count: 0 },
    { from: 4, to: 7, count: 5 },
    { from: 8, to: 15, count: 0 },
    { from: 16, to: 31, count: 1 },
  ]);
  const last = log2Buckets(Array.from({ length: 48 }, () => 1)).at(-1);
  assert.deepEqual(last, { from: 2 ** 47, to: 2 ** 48 - 1, count: 1 });
});

test('buckets of equal width begin at 0', () => {
  assert.deepEqual(linearBuckets([1, 0, 2, 0], 5), [
    { from: 0, to: 4, count: 1 },
    { from: 5, to: 9, count: 0 },
    { from: 10, to: 14, count: 2 },
  ]);
  assert.deepEqual(linearBuckets([], 5), []);
});

test('buckets of equal width end with wide ones, so that nothing is beyond them', () => {
  const all = linearBuckets(
    Array.from({ length: 48 }, () => 1),
    5,
  );
  assert.deepEqual(all.slice(30, 35), [
    { from: 150, to: 154, count: 1 },
    { from: 155, to: 159, count: 1 },
    { from: 160, to: 319, count: 1 },
    { from: 320, to: 639, count: 1 },
    { from: 640, to: 1279, count: 1 },
  ]);
  assert.equal(all.at(-1)?.to, 5 * 2 ** 21 - 1);
});

test('buckets for percentiles are 16 for each power of two', () => {
  const all = fineBuckets(Array.from({ length: 29 * 16 }, () => 1));
  assert.deepEqual(
    [0, 15, 16, 31, 32, 33, 47, 48].map((i) => [all[i]?.from, all[i]?.to]),
    [
      [0, 0],
      [15, 15],
      [16, 16],
      [31, 31],
      [32, 33],
      [34, 35],
      [62, 63],
      [64, 67],
    ],
  );
  assert.deepEqual(all.at(-1), { from: 31 * 2 ** 27, to: 2 ** 32 - 1, count: 1 });
  all.slice(1).forEach(({ from }, i) => {
    assert.equal(from, (all[i]?.to ?? 0) + 1);
  });
});

test('percentiles are where values would be if they were evenly spread', () => {
  assert.equal(percentile([], 0.5), 0);
  const one = [{ from: 0, to: 99, count: 100 }];
  assert.deepEqual(
    [0.01, 0.5, 0.9, 0.99, 1].map((share) => percentile(one, share)),
    [1, 50, 90, 99, 100],
  );
  const two = [
    { from: 0, to: 1, count: 1 },
    { from: 2, to: 3, count: 0 },
    { from: 4, to: 7, count: 3 },
  ];
  assert.equal(countOf(two), 4);
  assert.equal(percentile(two, 0.25), 2);
  assert.equal(percentile(two, 1), 8);
  // Never in a bucket that is empty.
  for (let share = 0.01; share <= 1; share += 0.01) {
    const value = percentile(two, share);
    assert.ok(value <= 2 || value >= 4, `${value} for ${share}`);
  }
});
