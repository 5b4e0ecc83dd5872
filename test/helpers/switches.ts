import { readFileSync } from 'node:fs';
import { setImmediate } from 'node:timers/promises';
import type { Actor } from './actor.ts';
import { deadline } from './deadline.ts';

/** epoll_wait(2) and epoll_pwait(2), in which Node waits for something to do. */
const waiting = process.arch === 'arm64' ? ['22'] : ['232', '281'];

/** How often the main thread of an actor has left the processor, once it does nothing. */
export async function switchesAtRest({ pid }: Actor): Promise<number> {
  const task = `/proc/${pid}/task/${pid}`;
  const look = async () => {
    for (let before = Number.NaN; ; ) {
      const [call = ''] = readFileSync(`${task}/syscall`, 'utf8').split(' ');
      const after = switches(readFileSync(`${task}/status`, 'utf8'));
      if (waiting.includes(call) && after === before) {
        return after;
      }
      before = waiting.includes(call) ? after : Number.NaN;
      await setImmediate();
    }
  };
  return deadline(look(), () => `process ${pid} does not come to rest`);
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
