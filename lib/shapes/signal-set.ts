import { KscopeError } from '../model/errors.ts';
import { signalNumber } from '../model/kernel-names.ts';
import { list, type Option, parseInteger } from './options.ts';

/** A list of signals by name or number; its constant is a u64 in which bit N-1 stands for signal N. */
export function signalSet<const Set extends string>(
  flags: string,
  summary: string,
  set: Set,
): Option<readonly number[] | undefined, Set> {
  return list(flags, summary, parseSignal, {
    group: 'filter',
    set,
    encode: (signals) => signals.reduce((mask, signal) => mask | (1n << BigInt(signal - 1)), 0n),
  });
}

function parseSignal(given: string): number {
  if (/^\d+$/.test(given)) {
    return parseInteger(given, 1, 64);
  }
  const number = signalNumber(given);
  if (number === undefined) {
    throw new KscopeError('usage', `'${given}' is not a signal`, { hint: 'kill -l lists them' });
  }
  return number;
}
