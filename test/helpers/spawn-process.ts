import koffi from 'koffi';
import { type Argument, NativeArguments } from './native-arguments.ts';
import { errorName, mustSyscall } from './syscall.ts';

const posixSpawn = koffi
  .load(null)
  .func('int posix_spawn(intptr_t pid, intptr_t path, intptr_t actions, intptr_t attr, intptr_t argv, intptr_t envp)');

export type Text = string | Uint8Array;

/** Starts a program with arguments of any bytes. It has no environment. @returns its pid, or the negative errno */
export function trySpawn(path: string, args: readonly Text[]): number {
  const pid = new Int32Array(1);
  const memory = new Uint8Array(pid.buffer);
  using given = new NativeArguments([memory, path, 0, 0, args, []] satisfies Argument[]);
  const error: number = posixSpawn(...given.numbers);
  return error === 0 ? (pid[0] as number) : -error;
}

/** The same, and throws when the program cannot be started. */
export function spawnProcess(path: string, args: readonly Text[]): number {
  const pid = trySpawn(path, args);
  if (pid < 0) {
    throw new Error(`${path}: ${errorName(-pid)}`);
  }
  return pid;
}

/** Waits for the end of a process of `spawnProcess`. @returns what wait(2) says: status << 8, core flag, signal */
export function waitStatus(pid: number): number {
  const status = new Int32Array(1);
  mustSyscall('wait4', pid, new Uint8Array(status.buffer), 0, 0);
  return status[0] as number;
}
