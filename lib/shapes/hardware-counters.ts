import { attachToCounter, counterProblem, type HardwareCounter } from '../bpf/hardware-counters.ts';
import type { BpfProgram } from '../bpf/program.ts';
import { everyCpu } from '../system/cpus.ts';

/** Attaches a program to a hardware counter of every processor: it runs every so many events. @param usual of them */
export function byCounter(counter: HardwareCounter, usual: number) {
  return (program: BpfProgram, { period = usual }: { period?: number | undefined }) => {
    for (const cpu of everyCpu()) {
      attachToCounter(program, counter, period, cpu);
    }
  };
}

/** For `attach.lacks`: what is missing where the processors do not count these. */
export function lacksCounters(...counters: readonly HardwareCounter[]) {
  return () => counters.map(counterProblem).find((problem) => problem !== undefined);
}
