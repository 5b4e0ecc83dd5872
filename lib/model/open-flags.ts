import { KscopeError } from './errors.ts';
import { escapeText } from './escape.ts';
import { flagNames } from './flag-names.ts';

const arm = process.arch === 'arm64';

// Multi-bit flags come before the bits they contain. Four of them have other values on arm64.
const openFlags: readonly (readonly [number, string])[] = [
  [0o20000000 | (arm ? 0o40000 : 0o200000), 'O_TMPFILE'],
  [0o4010000, 'O_SYNC'],
  [0o10000, 'O_DSYNC'],
  [0o100, 'O_CREAT'],
  [0o200, 'O_EXCL'],
  [0o400, 'O_NOCTTY'],
  [0o1000, 'O_TRUNC'],
  [0o2000, 'O_APPEND'],
  [0o4000, 'O_NONBLOCK'],
  [0o20000, 'O_ASYNC'],
  [arm ? 0o200000 : 0o40000, 'O_DIRECT'],
  [arm ? 0o400000 : 0o100000, 'O_LARGEFILE'],
  [arm ? 0o40000 : 0o200000, 'O_DIRECTORY'],
  [arm ? 0o100000 : 0o400000, 'O_NOFOLLOW'],
  [0o1000000, 'O_NOATIME'],
  [0o2000000, 'O_CLOEXEC'],
  [0o10000000, 'O_PATH'],
];
const accessModes = ['O_RDONLY', 'O_WRONLY', 'O_RDWR', 'O_ACCMODE'] as const;

/** Flags of open(2) by name: 'O_WRONLY|O_CREAT|O_CLOEXEC'. */
export function formatOpenFlags(value: number): string {
  const mode = accessModes[value & 3] as string;
  const rest = value & ~3;
  return rest === 0 ? mode : `${mode}|${flagNames(openFlags, rest)}`;
}

/** The number of one flag of open(2) by its name, with or without 'O_'. @throws KscopeError usage */
export function parseOpenFlag(name: string): number {
  const full = `O_${name.toUpperCase().replace(/^O_/, '')}`;
  const mode = (accessModes as readonly string[]).indexOf(full);
  const number = mode >= 0 ? mode : openFlags.find(([, flag]) => flag === full)?.[0];
  if (number === undefined) {
    const names = [...accessModes, ...openFlags.map(([, flag]) => flag)].join(', ');
    throw new KscopeError('usage', `'${escapeText(name)}' is not a flag of open(2)`, { hint: `flags: ${names}` });
  }
  return number;
}

/** Whether flags of open(2) hold one of them: all bits of it, or just that access mode (O_RDONLY has no bit). */
export function hasOpenFlag(flags: number, flag: number): boolean {
  return flag <= 3 ? (flags & 3) === flag : (flags & flag) === flag;
}
