/** Values from `from` to `to`, both included. */
export interface Bucket {
  readonly from: number;
  readonly to: number;
  readonly count: number;
}

/**
 * Buckets of a power-of-two histogram: 0 and 1, then 2 to 3, 4 to 7 and so on. All from the first on to the last that
 * is not empty.
 */
export function log2Buckets(slots: readonly number[]): Bucket[] {
  return filled(slots).map((count, i) => ({ from: i === 0 ? 0 : 2 ** i, to: 2 ** (i + 1) - 1, count }));
}

/** LINEAR_SLOTS of bpf/include/hist.h. */
const LINEAR_SLOTS = 32;

/** Buckets of equal width: from 0, from `step`, from twice that... After 32 of them, each is as wide as all before it. */
export function linearBuckets(slots: readonly number[], step: number): Bucket[] {
  const begin = (slot: number) => step * (slot <= LINEAR_SLOTS ? slot : LINEAR_SLOTS * 2 ** (slot - LINEAR_SLOTS));
  return filled(slots).map((count, i) => ({ from: begin(i), to: begin(i + 1) - 1, count }));
}

const FINE_STEPS = 16;

/** Buckets of a histogram for percentiles: 16 for each power of two, of one value each below 32. */
export function fineBuckets(slots: readonly number[]): Bucket[] {
  return filled(slots).map((count, i) => {
    const width = i < FINE_STEPS ? 1 : 2 ** (Math.floor(i / FINE_STEPS) - 1);
    const from = i < FINE_STEPS ? i : (FINE_STEPS + (i % FINE_STEPS)) * width;
    return { from, to: from + width - 1, count };
  });
}

function filled(slots: readonly number[]): readonly number[] {
  return slots.slice(0, slots.findLastIndex((count) => count > 0) + 1);
}

/** How many values there are. */
export function countOf(buckets: readonly Bucket[]): number {
  return buckets.reduce((sum, { count }) => sum + count, 0);
}

/**
 * The value that a share of all values does not exceed, as near as buckets tell: values are taken as evenly spread
 * within theirs. 0 for an empty histogram.
 */
export function percentile(buckets: readonly Bucket[], share: number): number {
  const wanted = countOf(buckets) * share;
  let below = 0;
  for (const { from, to, count } of buckets) {
    if (count > 0 && below + count >= wanted) {
      return Math.round(from + ((to + 1 - from) * (wanted - below)) / count);
    }
    below += count;
  }
  return 0;
}
