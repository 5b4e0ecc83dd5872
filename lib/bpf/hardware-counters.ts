import { libc } from '../native/libc.ts';
import { type HardwareCounter, hardwareCounter, perfEventOpen } from '../native/perf-event.ts';
import type { BpfLink } from './link.ts';
import type { BpfProgram } from './program.ts';

export type { HardwareCounter };

const ENOENT = 2;
const ENODEV = 19;
const EOPNOTSUPP = 95;

/** Why the processors of this machine do not count something; undefined when they do, or when that cannot be told. */
export function counterProblem(counter: HardwareCounter): string | undefined {
  const fd = perfEventOpen(hardwareCounter(counter, 1e6), -1, 0);
  if (fd >= 0) {
    libc.close(fd);
  }
  return [ENOENT, ENODEV, EOPNOTSUPP].includes(-fd)
    ? `there is no counter of ${counter}, as in most virtual machines`
    : undefined;
}

/** Runs a program every so many events that a processor counts. @throws KscopeError */
export function attachToCounter(program: BpfProgram, counter: HardwareCounter, period: number, cpu: number): BpfLink {
  return program.attachPerfEvent(hardwareCounter(counter, period), { cpu });
}
