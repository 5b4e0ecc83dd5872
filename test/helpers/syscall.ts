import koffi from 'koffi';
import { syscallNames, syscallNumbers } from '../../lib/model/syscalls.ts';
import { type Argument, NativeArguments } from './native-arguments.ts';

const native = koffi
  .load(null)
  .func('long syscall(long number, intptr_t a, intptr_t b, intptr_t c, intptr_t d, intptr_t e, intptr_t f)');

/** Whether this architecture has the system call at all. */
export function hasSyscall(name: string): boolean {
  return numberOf(name) !== undefined;
}

/** Makes a system call in this very thread, and no other one. @returns its result, or the negative errno */
export function syscall(name: string, ...args: readonly Argument[]): number {
  const number = numberOf(name);
  if (number === undefined) {
    throw new Error(`${process.arch} has no system call ${name}`);
  }
  using given = new NativeArguments(args);
  const [a = 0, b = 0, c = 0, d = 0, e = 0, f = 0] = given.numbers;
  const result = Number(native(number, a, b, c, d, e, f));
  return result === -1 ? -koffi.errno() : result;
}

/** The same, and throws when the call fails. */
export function mustSyscall(name: string, ...args: readonly Argument[]): number {
  const result = syscall(name, ...args);
  if (result < 0) {
    throw new Error(`${name}: ${errorName(-result)}`);
  }
  return result;
}

/** 'ENOENT' for 2. */
export function errorName(errno: number): string {
  return Object.entries(koffi.os.errno).find(([, number]) => number === errno)?.[0] ?? String(errno);
}

const architectures = ['x64', 'arm64'] as const;
const numbers = new Map<string, number | undefined>();

/** Number of a system call here; undefined where only another architecture has it. */
export function numberOf(name: string): number | undefined {
  // Some are made very often.
  if (!numbers.has(name)) {
    if (!architectures.some((one) => syscallNames(one).includes(name))) {
      throw new Error(`there is no system call ${name}`);
    }
    numbers.set(name, syscallNames().includes(name) ? syscallNumbers(name)[0] : undefined);
  }
  return numbers.get(name);
}
