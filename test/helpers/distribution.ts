import assert from 'node:assert/strict';
import type { JsonMessage } from './run-tool.ts';

/** A line of type histogram. */
export type Distribution = JsonMessage & {
  readonly unit: string;
  readonly buckets: readonly { readonly from: number; readonly to: number; readonly count: number }[];
  readonly count: number;
  readonly total: number;
  readonly average: number;
  readonly p50: number;
  readonly p90: number;
  readonly p99: number;
};

/** The distributions among the lines, each of which must agree with itself. */
export function distributionsIn(messages: readonly JsonMessage[]): Distribution[] {
  const found = messages.filter(({ type }) => type === 'histogram') as Distribution[];
  for (const one of found) {
    checkDistribution(one);
  }
  return found;
}

/** The distribution, where there is one and no more. */
export function onlyDistribution(messages: readonly JsonMessage[]): Distribution {
  const [found, ...others] = distributionsIn(messages);
  assert.ok(found !== undefined && others.length === 0, `${others.length + 1} distributions`);
  return found;
}

/** How many values each distribution has, by the field that tells them apart. */
export function countsBy(field: string, messages: readonly JsonMessage[]): Record<string, number> {
  return Object.fromEntries(distributionsIn(messages).map((one) => [String(one[field] ?? ''), one.count]));
}

/** Sum of the buckets, sum of the values, average and percentiles cannot contradict each other. */
function checkDistribution({ buckets, count, total, average, p50, p90, p99 }: Distribution): void {
  const sum = (of: (bucket: Distribution['buckets'][number]) => number) =>
    buckets.reduce((all, bucket) => all + of(bucket), 0);
  const { from = 0, to = 0 } = buckets.at(-1) ?? {};
  assert.equal(
    sum((bucket) => bucket.count),
    count,
  );
  assert.ok(total >= sum((bucket) => bucket.from * bucket.count), `${total} is too little`);
  assert.ok(total <= sum((bucket) => (bucket.to + 1) * bucket.count), `${total} is too much`);
  assert.ok(Math.abs(average * count - total) <= 1e-6 * total);
  assert.ok(p50 <= p90 && p90 <= p99 && p99 <= to + 1 && p99 >= Math.min(from, p99));
}
