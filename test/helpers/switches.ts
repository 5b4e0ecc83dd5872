import { readFileSync } from 'node:fs';
import { setImmediate } from 'node:timers/promises';
import type { Actor } from './actor.ts';
import { deadline } from './deadline.ts';

/**
 * Stops an actor, which otherwise may collect garbage at any time, until SIGCONT or its end.
 * @returns how often its main thread has left the processor
 */
export async function switchesWhenStopped({ pid }: Actor): Promise<number> {
  const task = `/proc/${pid}/task/${pid}`;
  const look = async () => {
    // The state is that of stopping already while the thread still runs, the system call is not.
    while (
      !/\) T /.test(readFileSync(`${task}/stat`, 'utf8')) ||
      /running/.test(readFileSync(`${task}/syscall`, 'utf8'))
    ) {
      await setImmediate();
    }
    return switches(readFileSync(`${task}/status`, 'utf8'));
  };
  process.kill(pid, 'SIGSTOP');
  return deadline(look(), () => `process ${pid} does not stop`);
}

function switches(status: string): number {
  const counts = [...status.matchAll(/^(?:non)?voluntary_ctxt_switches:\s*(\d+)$/gm)].map(([, count]) => Number(count));
  return counts.reduce((sum, count) => sum + count, 0);
}

/** Nanoseconds that the main thread of an actor has run. */
export function runTime({ pid }: Actor): number {
  return Number(readFileSync(`/proc/${pid}/task/${pid}/schedstat`, 'utf8').split(' ')[0]);
}

/** Has an actor sleep that many times, for a millisecond or so each. */
export async function sleepTimes(actor: Actor, times: number): Promise<void> {
  const millisecond = new Uint8Array(BigInt64Array.of(0n, 1_000_000n).buffer);
  await actor.perform(Array.from({ length: times }, () => ({ name: 'nanosleep', args: [millisecond, 0] })));
}
