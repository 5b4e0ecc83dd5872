import { cpuFilter } from './filters.ts';
import { flag } from './options.ts';
import { nanoseconds } from './time-units.ts';

/** What programs with bpf/include/irq.h understand, and in which unit their times are. */
export const irqOptions = {
  cpu: { ...cpuFilter, hidden: ['-s'] },
  perCpu: flag('--per-cpu', 'each processor apart', { set: 'per_cpu', hidden: ['--CPU'] }),
  count: flag('-C, --count', 'count only, do not measure time: costs half', {
    set: 'count_only',
    hidden: ['--events'],
  }),
  nanoseconds,
};
