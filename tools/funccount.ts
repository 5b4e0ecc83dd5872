import bpf from '../bpf/funccount.bpf.ts';
import {
  atProbePoints,
  commonOptions,
  cpuFilter,
  durationOption,
  filters,
  integer,
  probePointCount,
  probePointName,
  probePointOptions,
  probePointWarnings,
  seconds,
  top,
} from '../lib/tool.ts';

export default top(bpf, {
  summary: 'Count calls of functions, and events, by name.',
  area: 'probes',
  activity: 'Counting calls',
  description: `
Counts in the kernel how often functions are called, tracepoints are passed or statically defined probes (USDT) are met, by name. Those without any call are not shown.

A pattern is a function of the kernel (vfs_read), of a library or program (c:malloc, /usr/bin/node:uv__*), a tracepoint (t:sched:sched_switch) or a USDT probe (u:/usr/bin/node:gc__*). * stands for any letters and ? for one. A library without a path is that of all processes, those of containers included, or with --pid the one that the process uses; ':name' with --pid is a function of its program. Functions whose code the compiler put into their callers are not called, and not counted. A name that several functions of the kernel share stands for all of them: each has a line, with its address.

Functions are hooked all at once where the kernel can do that (its own from 5.18 on by kprobe.multi, those of programs from 6.6 on by uprobe.multi, with --pid from 6.12 on), or else one by one, as are tracepoints, 1000 at most. Before 5.15 only one place that is no function of the kernel can be counted.`,
  overhead:
    'About 0.15 µs for each tracepoint, and 1.5 µs for each function of a program (measured on a busy 2-core virtual machine).',
  options: {
    ...probePointOptions,
    ...filters,
    cpu: cpuFilter,
    interval: seconds('-i, --interval <SECONDS>', 'seconds between outputs; otherwise once, at the end'),
    rows: integer('--rows <COUNT>', 'print at most this many rows; usually all', { min: 1, group: 'output' }),
    duration: durationOption,
    verbose: { ...commonOptions.verbose, hidden: ['-D', '--debug'] },
  },
  map: 'counts',
  // What is not used takes as long to make.
  prepare: (object, values) => {
    object.map('counts').maxEntries = probePointCount(values);
  },
  meanings: {
    count: 'calls or events',
    point: 'what stands for the function or event in this run, such as its address',
  },
  computed: {
    func: {
      type: 'text_t',
      help: 'name of the function or event',
      value: ({ point }, values) => probePointName(point, values),
    },
  },
  columns: { func: {}, count: {} },
  sort: ['count', 'func'],
  attach: atProbePoints,
  warnings: probePointWarnings,
  examples: {
    't:sched:sched_switch': 'count how often processors switch to another thread',
    "'vfs_*'": 'count the calls of functions of the kernel that begin with vfs_',
    "-i 1 't:block:*'": 'count all tracepoints of block devices, each second',
    '-p 181 c:malloc': 'count what process 181 allocates with the C library',
    "-r '^tcp_(send|recv)msg$'": 'two functions, by a regular expression',
  },
  sample: {
    before: 'A server saves its log 12 times and its configuration 5 times:',
    args: "-p 29637 'c:*sync'",
    output: `
FUNC      COUNT
fdatasync    12
fsync         5`,
    after:
      'Of all functions of the C library whose names end with sync these two were called. stackcount(8) says from where.',
  },
});
