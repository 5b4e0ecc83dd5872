import { KscopeError } from '../model/errors.ts';
import { escapeText } from '../model/escape.ts';
import { errorNumber } from '../model/kernel-names.ts';
import { syscallNumbers } from '../model/syscalls.ts';
import { type Option, parseInteger } from './options.ts';

const NO_SYSCALL = 2 ** 32 - 1;

/** A system call by name; its constant takes two numbers, of 64-bit and of 32-bit programs. */
export function syscallFilter<const Set extends string>(
  flags: string,
  summary: string,
  set: Set,
): Option<readonly number[] | undefined, Set> {
  return { flags, summary, set, group: 'filter', parse: parseSyscall };
}

function parseSyscall(given: string): readonly number[] {
  const [one, other = NO_SYSCALL] = syscallNumbers(given);
  if (one === undefined) {
    throw new KscopeError('usage', `'${escapeText(given)}' is not a system call of this architecture`);
  }
  return [one, other];
}

/** An error by name or number. */
export function errorFilter<const Set extends string>(
  flags: string,
  summary: string,
  set: Set,
): Option<number | undefined, Set> {
  return { flags, summary, set, group: 'filter', parse: parseError };
}

/** @throws KscopeError usage */
export function parseError(given: string): number {
  const number = /^\d+$/.test(given) ? parseInteger(given, 1, 4095) : errorNumber(given);
  if (number === undefined) {
    throw new KscopeError('usage', `'${escapeText(given)}' is not the name or number of an error`);
  }
  return number;
}
