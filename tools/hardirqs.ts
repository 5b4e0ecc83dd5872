import bpf from '../bpf/hardirqs.bpf.ts';
import { filters, histogram, irqOptions, units } from '../lib/tool.ts';

export default histogram(bpf, {
  summary: 'Summarize the number and time of hard interrupts by handler.',
  area: 'kernel',
  activity: 'Tracing hard interrupts',
  description: `
Measures each run of an interrupt handler, from irq:irq_handler_entry to irq:irq_handler_exit. Handlers are told apart by their names, those of /proc/interrupts; a line that devices share runs all handlers of it, and handlers of the same name are one.

What the processor handles without a handler of a driver is not seen: its own timer, interrupts between processors, non-maskable ones. Of a threaded handler the part that runs in its thread is not seen. --cgroup selects by the task that was interrupted.`,
  overhead:
    'About 0.7 µs for each of 13,000 interrupts a second, the more the less often they come (run time of the programs on a busy 2-core virtual machine).',
  options: {
    ...irqOptions,
    cgroup: filters.cgroup,
    cgroupMap: filters.cgroupMap,
    mountNamespaceMap: filters.mountNamespaceMap,
  },
  map: 'hists',
  unit: ({ nanoseconds }) => (nanoseconds ? units.nsecs : units.usecs),
  meanings: {
    hardirq: 'name of the interrupt',
  },
  keys: { hardirq: {}, cpu: { when: ['perCpu'] } },
  totals: { countsWhen: 'count' },
  attach: { unwanted: ({ count }) => (count ? ['irq_handler_exit__tp_btf'] : []) },
  examples: {
    '': 'totals until Ctrl-C',
    '1 10': 'totals of each second, 10 times',
    '-d': 'distributions of the time',
    '-C --per-cpu 1': 'how many on each processor each second',
  },
  sample: {
    before: 'For two seconds dd writes to a file past the page cache, 64 kilobytes at a time:',
    args: '--duration 2',
    output: `
HARDIRQ       COUNT TOTAL_usecs
virtio1-req.0  5027        5492
virtio3-tx        6          31
virtio3-rx        2          15
virtio0-stats     1           7`,
    after:
      'The disk interrupted 5027 times, and took 5.5 ms for that: a microsecond each, 0.3 % of a processor. What comes after, in the soft interrupt block, is shown by softirqs.',
  },
});
