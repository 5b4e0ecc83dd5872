import bpf from '../bpf/cpufreq.bpf.ts';
import { byClock, cpuFrequencies, durationOption, filters, flag, histogram, samplingOptions } from '../lib/tool.ts';

/** With these, the processor decides by itself, and nobody is told. */
const silent = ['intel_pstate', 'amd-pstate-epp'];

export default histogram(bpf, {
  summary: 'Summarize, by sampling, at which frequency processors work.',
  area: 'processors',
  activity: 'Sampling frequencies of busy processors',
  description: `
Looks 99 times a second, or as often as --frequency says, which task runs on each processor, and counts the frequency that the kernel has set there: why a program is slow although it waits for nothing, or which one keeps a processor at full speed. Idle processors are not counted. Of a processor the frequency at the start is what /sys/devices/system/cpu/cpuN/cpufreq/scaling_cur_freq says, and afterwards what the tracepoint power:cpu_frequency says at each change. Steps are 200 MHz wide.

That is what the driver asked for, not what the processor did: it may be slower for heat or power, or faster by its own choice (turbo). Where the hardware decides alone (intel_pstate in its active mode, amd-pstate-epp), the tracepoint keeps still, and a warning says so; turbostat can tell then. Virtual machines have no frequencies as a rule: without a driver it does not start.

The clock is the kernel's software clock; code that runs with interrupts off is seen where they are on again.`,
  overhead:
    '0.3 µs for each change of a frequency, where setting one takes 70, and 21 µs for each sample: 0.2 % of a processor at the usual 99 a second (run time of the programs in an emulated guest with Linux 6.1, some times slower than a machine).',
  options: {
    ...filters,
    cgroup: { ...filters.cgroup, hidden: ['-c'] },
    ...samplingOptions(99),
    frequency: { ...samplingOptions(99).frequency, hidden: ['-f'] },
    duration: durationOption,
    perCpu: flag('--per-cpu', 'each processor apart', { set: 'per_cpu' }),
    commands: flag('-P, --commands', 'each command apart', { set: 'by_command' }),
  },
  map: 'hists',
  unit: () => ({ name: 'MHz', size: 1000 }),
  step: () => 200,
  keys: { cpu: { when: ['perCpu'] }, comm: { when: ['commands'] } },
  attach: {
    by: { sample: byClock(99) },
    lacks: () =>
      cpuFrequencies().length > 0
        ? undefined
        : 'a driver that sets the frequency of processors: /sys/devices/system/cpu/cpu*/cpufreq',
  },
  loaded: (object) => {
    for (const { cpu, current } of cpuFrequencies()) {
      object.map('frequencies').set(cpu, current);
    }
  },
  warnings: () =>
    [...new Set(cpuFrequencies().map(({ driver }) => driver))]
      .filter((driver) => silent.includes(driver))
      .map(
        (driver) => `${driver} leaves it to the processor: no change is told, all is counted as it was at the start`,
      ),
  examples: {
    '': 'all processors, until Ctrl-C',
    '--per-cpu 1 10': 'each processor apart, every second, 10 times',
    '-P --duration 30': 'each command apart, for 30 seconds',
    '-p 181 -e': 'one process, with the average',
  },
  sample: {
    before: 'Of two processors the first was set to 1 GHz and the second to 3 GHz, and gzip runs on each:',
    args: '--per-cpu --comm gzip --duration 3',
    output: `
cpu = 1
            MHz           : count    distribution
      2800 -> 2999       : 0        |                                        |
      3000 -> 3199       : 208      |****************************************|

cpu = 0
            MHz           : count    distribution
       800 -> 999        : 0        |                                        |
      1000 -> 1199       : 272      |****************************************|`,
    after:
      'Lines of frequencies without samples are left out. On processor 0 gzip never had more than 1 GHz: it is slow there, however busy the processor looks. Where frequencies change by themselves, each processor has several lines.',
  },
});
