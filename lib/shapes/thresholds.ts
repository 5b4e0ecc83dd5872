import { KscopeError } from '../model/errors.ts';
import type { Option } from './options.ts';

interface Threshold {
  /** What holds unless it is given: the initial value of the constant. */
  readonly usual?: number;
  readonly place?: string;
}

/**
 * The shortest time that is worth a line, in milliseconds with decimals; its constant takes nanoseconds. `flags` is
 * '[min_ms]' for an argument without a name.
 * @param what lasts that long: 'calls that took'
 */
export function atLeastMilliseconds<const Set extends string = never>(
  flags: string,
  what: string,
  set: Set,
  threshold: Threshold = {},
): Option<number | undefined, Set> {
  return atLeast(flags, what, set, threshold, 'milliseconds', 1e6);
}

/** The same in microseconds. */
export function atLeastMicroseconds<const Set extends string = never>(
  flags: string,
  what: string,
  set: Set,
  threshold: Threshold = {},
): Option<number | undefined, Set> {
  return atLeast(flags, what, set, threshold, 'microseconds', 1e3);
}

function atLeast<const Set extends string>(
  flags: string,
  what: string,
  set: Set,
  { usual, place }: Threshold,
  unit: string,
  nanoseconds: number,
): Option<number | undefined, Set> {
  return {
    flags,
    ...(place !== undefined && { place }),
    summary: `only ${what} at least this many ${unit}${usual === undefined ? '' : `; usually ${usual}`}`,
    set,
    group: 'filter',
    parse: (given) => parseAmount(given, unit),
    encode: (amount) => Math.round(amount * nanoseconds),
  };
}

function parseAmount(given: string, what: string): number {
  const value = /^\d+(\.\d+)?$/.test(given) ? Number(given) : Number.NaN;
  if (!(value <= 1e9)) {
    throw new KscopeError('usage', `'${given}' is not a number of ${what}`);
  }
  return value;
}
