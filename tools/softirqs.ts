import bpf from '../bpf/softirqs.bpf.ts';
import { histogram, irqOptions, softirqName, units } from '../lib/tool.ts';

export default histogram(bpf, {
  summary: 'Summarize the number and time of soft interrupts by vector.',
  area: 'kernel',
  activity: 'Tracing soft interrupts',
  description: `
Measures each run of a soft interrupt's handler, from irq:softirq_entry to irq:softirq_exit, wherever it runs: at the end of a hard interrupt, when bottom halves are enabled again, or in ksoftirqd. Hard interrupts that come in between count as its time. The names of the vectors are those of the running kernel.

A handler that runs already when the tracing begins is not counted.`,
  overhead:
    'About 0.3 µs for each soft interrupt, 0.1 µs with --count (run time of the programs on a busy 2-core virtual machine).',
  options: irqOptions,
  map: 'hists',
  unit: ({ nanoseconds }) => (nanoseconds ? units.nsecs : units.usecs),
  keys: { softirq: { width: 9 }, cpu: { when: ['perCpu'] } },
  computed: {
    softirq: { type: 'text_t', help: 'name of the soft interrupt', value: ({ vector }) => softirqName(vector) },
  },
  totals: { countsWhen: 'count' },
  attach: { unwanted: ({ count }) => (count ? ['softirq_exit__tp_btf'] : []) },
  examples: {
    '': 'totals until Ctrl-C',
    '1 10': 'totals of each second, 10 times',
    '-d': 'distributions of the time',
    '-C --per-cpu 1': 'how many on each processor each second',
  },
  sample: {
    before:
      'For two seconds dd writes to a file past the page cache, 64 kilobytes at a time; the distribution of block is one of four:',
    args: '-d --duration 2',
    output: `
softirq = block
          usecs           : count    distribution
         0 -> 1          : 11       |                                        |
         2 -> 3          : 663      |*************                           |
         4 -> 7          : 464      |*********                               |
         8 -> 15         : 2039     |****************************************|
        16 -> 31         : 60       |*                                       |
        32 -> 63         : 36       |                                        |
        64 -> 127        : 4        |                                        |`,
    after:
      'To complete what the disk has done takes the kernel 8 to 15 microseconds as a rule, about 3300 times: some 30 ms of the two seconds, which are in no system call of dd. softirqslower shows the few that took longest.',
  },
});
