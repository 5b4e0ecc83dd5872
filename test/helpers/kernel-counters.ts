import { readFileSync } from 'node:fs';

/** Counts on each processor, by name. */
export type KernelCounters = ReadonlyMap<string, readonly number[]>;

/** /proc/softirqs, by vector in lower case. */
export function softirqCounters(): KernelCounters {
  return new Map(rows('/proc/softirqs').map(({ label, counts }) => [label.toLowerCase(), counts]));
}

/** The lines of /proc/interrupts that have one handler with a name that no other line has, by that name. */
export function hardirqCounters(): KernelCounters {
  const found = new Map<string, readonly number[]>();
  const several = new Set<string>();
  for (const { label, counts, rest } of rows('/proc/interrupts')) {
    // Number, controller, line and trigger, then the names.
    const name = /^\d+$/.test(label) ? rest.split(/\s{2,}/).at(-1) : undefined;
    if (name !== undefined) {
      if (found.has(name) || name.includes(',')) {
        several.add(name);
      }
      found.set(name, counts);
    }
  }
  return new Map([...found].filter(([name]) => !several.has(name)));
}

function rows(path: string): { label: string; counts: number[]; rest: string }[] {
  const [header = '', ...lines] = readFileSync(path, 'utf8').trimEnd().split('\n');
  const cpus = header.trim().split(/\s+/).length;
  return lines.flatMap((line) => {
    const match = new RegExp(`^\\s*([^:]+):((?:\\s+\\d+){${cpus}})(.*)$`).exec(line);
    return match === null
      ? []
      : [
          {
            label: match[1] ?? '',
            counts: (match[2] ?? '').trim().split(/\s+/).map(Number),
            rest: (match[3] ?? '').trim(),
          },
        ];
  });
}

/** Sum over all processors, or the count of one; 0 for an unknown name. */
export function countIn(counters: KernelCounters, name: string, cpu?: number): number {
  const counts = counters.get(name) ?? [];
  return cpu === undefined ? counts.reduce((sum, count) => sum + count, 0) : (counts[cpu] ?? 0);
}

/** Counters read around a run: before the start, when it was ready, when the work was done, after the end. */
export interface CounterWindow {
  readonly before: KernelCounters;
  readonly ready: KernelCounters;
  readonly done: KernelCounters;
  readonly after: KernelCounters;
}

/** At least as many as while everything was attached, at most as many as in all. */
export function assertCounted(window: CounterWindow, name: string, counted: number, cpu?: number): void {
  const [before, ready, done, after] = [window.before, window.ready, window.done, window.after].map((counters) =>
    countIn(counters, name, cpu),
  ) as [number, number, number, number];
  const where = cpu === undefined ? '' : ` on processor ${cpu}`;
  if (counted < done - ready || counted > after - before) {
    throw new Error(`${name}${where}: ${counted} counted, not from ${done - ready} to ${after - before}`);
  }
}
