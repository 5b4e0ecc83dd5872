import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Readable, Writable } from 'node:stream';
import { onProcessor } from './processors.ts';
import { mustSyscall } from './syscall.ts';

const PRIO_PGRP = 1;
const NICEST = 19;

/** A line of shell: so many processes that wait for the end of their input, and then do nothing but run. */
const wait =
  'exec 3<&0; i=0; while [ $i -lt $0 ]; do (read x <&3; while :; do :; done) & i=$((i+1)); done; echo there; wait';

/** Many processes that want the same processor at the same time, and yield to everybody else. */
export class Throng implements Disposable {
  readonly #shell: ChildProcessByStdio<Writable, Readable, null>;

  /** Resolves when all of them are there, and wait. */
  static async gather(processor: number, count: number): Promise<Throng> {
    const shell = onProcessor(processor, () =>
      spawn('/bin/sh', ['-c', wait, String(count)], { detached: true, stdio: ['pipe', 'pipe', 'inherit'] }),
    );
    const throng = new Throng(shell);
    await once(shell.stdout, 'data');
    mustSyscall('setpriority', PRIO_PGRP, shell.pid ?? 0, NICEST);
    return throng;
  }

  private constructor(shell: ChildProcessByStdio<Writable, Readable, null>) {
    this.#shell = shell;
  }

  /** From now on they want it. */
  run(): void {
    this.#shell.stdin.end();
  }

  [Symbol.dispose](): void {
    process.kill(-(this.#shell.pid ?? 0), 'SIGKILL');
  }
}
