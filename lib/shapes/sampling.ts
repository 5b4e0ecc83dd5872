import type { BpfProgram } from '../bpf/program.ts';
import { KscopeError } from '../model/errors.ts';
import { everyCpu } from '../system/cpus.ts';
import { integer } from './options.ts';

/** How often to sample, and where: for tools whose program `byClock` attaches. @param usual samples a second */
export function samplingOptions(usual: number) {
  return {
    frequency: integer('-F, --frequency <HERTZ>', `samples a second on each processor; usually ${usual}`, {
      min: 1,
      max: 10000,
    }),
    cpu: integer('-C, --cpu <CPU>', 'only this processor', { group: 'filter' }),
  };
}

/**
 * Attaches a program to a clock of every processor, or of the one that was asked for; `period` is in nanoseconds.
 * @param usual samples a second; not a round number: they would keep step with what happens every so many milliseconds
 */
export function byClock(usual: number) {
  return (
    program: BpfProgram,
    {
      frequency = usual,
      period,
      cpu,
    }: { frequency?: number | undefined; period?: number | undefined; cpu?: number | undefined },
  ) => {
    const cpus = everyCpu();
    if (cpu !== undefined && !cpus.includes(cpu)) {
      throw new KscopeError('usage', `there is no processor ${cpu} that works`);
    }
    for (const one of cpu === undefined ? cpus : [cpu]) {
      program.attachClock(period === undefined ? { frequency } : { period }, one);
    }
  };
}
