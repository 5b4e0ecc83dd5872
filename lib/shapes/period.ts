import type { ComputedField } from './columns.ts';

/** The field of rows whose amounts are divided by the length of their interval. */
export const PERIOD = 'period';

/** As a field: its values are those of the intervals. */
export const periodField: Readonly<Record<string, ComputedField>> = {
  [PERIOD]: { type: 'ns_t', help: 'length of the interval in nanoseconds', value: () => undefined },
};
