import { pauseUntil } from '../system/pause.ts';
import { parseSeconds } from './common-options.ts';
import type { Positional } from './definition.ts';
import { parseInteger } from './options.ts';

/** `[interval [count]]`: bcc's custom. Values in seconds and in intervals. */
export const intervalPositionals: readonly Positional[] = [
  { key: 'interval', name: '[interval]', summary: 'seconds between outputs', parse: parseSeconds },
  {
    key: 'intervals',
    name: '[count]',
    summary: 'number of outputs',
    parse: (given) => parseInteger(given, 1, 2 ** 31 - 1),
  },
];

/**
 * The moments at which to print: the end of each interval, and the end of the run, unless an interval has just ended
 * because of the count. Intervals are measured from the start, so that they do not drift.
 * An interval of 0 ends the run at once; a negative one has no end but that of the run.
 * @param usual seconds, when the user gives none; undefined waits for the end
 */
export async function* intervalEnds(
  values: Readonly<Record<string, unknown>>,
  usual: number | undefined,
  signal: AbortSignal,
): AsyncGenerator<{ readonly last: boolean }, void, void> {
  const length = ((values.interval as number | undefined) ?? usual ?? -1) * 1000;
  const count = (values.intervals as number | undefined) ?? Number.POSITIVE_INFINITY;
  const start = performance.now();
  let next = 0;
  for (let number = 1; ; number++) {
    if (length < 0) {
      await aborted(signal);
    } else if (length > 0) {
      // Intervals that went by while an output was made have no output of their own.
      next = Math.max(next + 1, Math.floor((performance.now() - start) / length) + 1);
      await pauseUntil(start + next * length, signal);
    }
    const last = length === 0 || signal.aborted || number >= count;
    yield { last };
    if (last) {
      return;
    }
  }
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) {
      resolve();
    } else {
      signal.addEventListener('abort', () => resolve(), { once: true });
      // A signal alone does not keep a process alive.
      const timer = setInterval(() => {}, 2 ** 30);
      signal.addEventListener('abort', () => clearInterval(timer), { once: true });
    }
  });
}
