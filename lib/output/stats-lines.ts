import type { StatsMessage } from '../model/message.ts';

/** What a run has cost, for people: a line for the process and one for each program, map and ring. */
export function statsLines({
  seconds,
  cpu_seconds: cpu,
  memory,
  lost,
  programs,
  uncounted,
  maps,
  rings,
}: StatsMessage): string[] {
  const used = cpu.user + cpu.system;
  const share = seconds > 0 ? ((100 * used) / seconds).toFixed(1) : '-';
  const losses =
    lost.length === 0 ? 'nothing lost' : `lost ${lost.map((one) => `${one.total} ${one.what}`).join(', ')}`;
  return [
    `after ${seconds.toFixed(1)} s: own CPU time ${used.toFixed(3)} s (${share} %), ${mebibytes(memory)} at most, ${losses}`,
    ...programs.map(
      ({ program, hook, runs, run_ns = 0 }) =>
        `program ${program} (${hook}): ${runs === undefined ? 'runs not counted' : runsText(runs, run_ns, seconds)}`,
    ),
    ...(uncounted === undefined ? [] : [uncounted]),
    // An empty one says nothing, and every tool has some for filters.
    ...maps
      .filter(({ entries }) => entries > 0)
      .map(({ map, entries, max }) => `map ${map}: ${entries} of ${max} entries`),
    ...rings.map(({ ring, peak, size }) => `ring ${ring}: ${mebibytes(peak)} of ${mebibytes(size)} at most`),
  ];
}

function runsText(runs: number, time: number, seconds: number): string {
  const share = seconds > 0 ? `, ${(time / (1e7 * seconds)).toFixed(2)} % of a CPU` : '';
  return runs === 0 ? '0 runs' : `${runs} runs, ${Math.round(time / runs)} ns each${share}`;
}

function mebibytes(bytes: number): string {
  return `${(bytes / 2 ** 20).toFixed(bytes < 10 * 2 ** 20 ? 2 : 0)} MiB`;
}
