import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { VmUnavailable } from './unavailable.ts';

/**
 * Runs `task` while this process alone holds the lock file. A child keeps the lock and ends when our end of its stdin
 * closes, so the lock cannot outlive us, however we end.
 */
export async function withLock<T>(file: string, seconds: number, task: () => Promise<T>): Promise<T> {
  const script = ['-w', String(seconds), file, 'sh', '-c', 'echo held; exec cat'];
  const holder = spawn('flock', script, { stdio: ['pipe', 'pipe', 'inherit'] });
  const failed = once(holder, 'error').then(([error]) => `flock: ${(error as Error).message}`);
  const ended = once(holder, 'exit').then(() => `another process holds ${file} for more than ${seconds} s`);
  const held = once(holder.stdout, 'data').then(() => undefined);
  for (const promise of [failed, ended, held]) promise.catch(() => {});
  const problem = await Promise.race([held, ended, failed]);
  if (problem !== undefined) throw new VmUnavailable(problem);
  try {
    return await task();
  } finally {
    holder.stdin.end();
    await ended;
  }
}
