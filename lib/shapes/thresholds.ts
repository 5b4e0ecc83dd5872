import { KscopeError } from '../model/errors.ts';
import type { Option } from './options.ts';

/**
 * The shortest time that is worth a line, in milliseconds with decimals; its constant takes nanoseconds. `flags` is
 * '[min_ms]' for an argument without a name.
 */
export function atLeastMilliseconds<const Set extends string = never>(
  flags: string,
  summary: string,
  set: Set,
): Option<number | undefined, Set> {
  return atLeast(flags, summary, set, 'milliseconds', 1e6);
}

/** The same in microseconds. */
export function atLeastMicroseconds<const Set extends string = never>(
  flags: string,
  summary: string,
  set: Set,
): Option<number | undefined, Set> {
  return atLeast(flags, summary, set, 'microseconds', 1e3);
}

function atLeast<const Set extends string>(
  flags: string,
  summary: string,
  set: Set,
  unit: string,
  nanoseconds: number,
): Option<number | undefined, Set> {
  return {
    flags,
    summary,
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
