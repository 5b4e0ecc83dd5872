import assert from 'node:assert/strict';
import type { Actor } from './actor.ts';
import type { ToolResult } from './run-tool.ts';
import { runTime, sleepTimes, switchesWhenStopped } from './switches.ts';
import { SwitchTrace, type TracedSwitches } from './traced-switches.ts';
import { watch } from './watch.ts';

/** What became of a thread meanwhile, by the kernel's own tracing and by what it says of the thread. */
export interface Slept extends TracedSwitches {
  readonly switches: number;
  /** Nanoseconds that it ran. */
  readonly ran: number;
  /** Milliseconds that all of it took. */
  readonly took: number;
}

/** Watches an actor with a tool while it sleeps so many times, beside another one. */
export async function watchSleeps<Name extends string>(
  tool: string,
  commandLines: Readonly<Record<Name, readonly string[]>>,
  { actor, other, times }: { readonly actor: Actor; readonly other: Actor; readonly times: number },
): Promise<{ readonly seen: Record<Name, ToolResult>; readonly slept: Slept }> {
  using trace = new SwitchTrace(actor.pid);
  const before = await switchesWhenStopped(actor);
  const traced = trace.counts();
  let slept: Slept | undefined;
  const seen = await watch(tool, commandLines, async () => {
    process.kill(actor.pid, 'SIGCONT');
    const ran = runTime(actor);
    const start = performance.now();
    await Promise.all([sleepTimes(actor, times), sleepTimes(other, times)]);
    const switches = (await switchesWhenStopped(actor)) - before;
    const { left, came, waited, doubtful } = trace.counts();
    slept = {
      switches,
      left: left - traced.left,
      came: came - traced.came,
      waited: waited - traced.waited,
      doubtful: doubtful - traced.doubtful,
      took: performance.now() - start,
      ran: runTime(actor) - ran,
    };
  });
  assert.ok(slept !== undefined);
  return { seen, slept };
}
