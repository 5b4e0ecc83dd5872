import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';

/**
 * Starts a program that the kernel kills when this process ends, whichever way. Its output goes to the log file. It is
 * out of reach of the terminal's Ctrl-C, which is for us to handle.
 */
export function spawnBound(file: string, args: readonly string[], log: string): ChildProcess {
  const descriptor = openSync(log, 'w');
  try {
    const all = ['--pdeathsig', 'KILL', '--', file, ...args];
    return spawn('setpriv', all, { stdio: ['ignore', descriptor, descriptor], detached: true });
  } finally {
    closeSync(descriptor);
  }
}

export function isRunning(child: ChildProcess): boolean {
  return child.pid !== undefined && child.exitCode === null && child.signalCode === null;
}

/** Waits until the child has ended, at most `milliseconds`. Says whether it has. */
export function hasExited(child: ChildProcess, milliseconds: number): Promise<boolean> {
  if (!isRunning(child)) return Promise.resolve(true);
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, milliseconds, false);
    child.once('exit', () => {
      clearTimeout(timer);
      resolve(true);
    });
  });
}
