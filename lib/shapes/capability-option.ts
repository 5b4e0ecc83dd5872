import { capabilityNumber } from '../model/capabilities.ts';
import { KscopeError } from '../model/errors.ts';
import { escapeText } from '../model/escape.ts';
import { type Option, parseInteger } from './options.ts';

/** A capability by name, with or without CAP_, or number. */
export function capabilityFilter<const Set extends string>(
  flags: string,
  summary: string,
  set: Set,
): Option<number | undefined, Set> {
  return { flags, summary, set, group: 'filter', parse: parseCapability };
}

function parseCapability(given: string): number {
  const number = /^\d+$/.test(given) ? parseInteger(given, 0, 63) : capabilityNumber(given);
  if (number === undefined) {
    throw new KscopeError('usage', `'${escapeText(given)}' is not a capability`);
  }
  return number;
}
