import bpf from '../bpf/funcinterval.bpf.ts';
import {
  atProbePoints,
  durationOption,
  filters,
  flag,
  histogram,
  lettered,
  microseconds,
  milliseconds,
  probePointName,
  probePointOptions,
  probePointWarnings,
  seconds,
  units,
} from '../lib/tool.ts';

export default histogram(bpf, {
  summary: 'Summarize the time between calls of functions, or between events.',
  area: 'probes',
  activity: 'Measuring the time between calls',
  description: `
Measures the time from one call of a function, or passing of a tracepoint or statically defined probe (USDT), to the next one, and prints its distribution: how regularly something happens. The patterns are those of funccount.

It does not matter who calls, where, or which function of the pattern it is: --function, --per-process, --per-thread and --per-cpu measure from the last call of the same function, of the same process or thread, or on the same processor. They go together. The first call of each kind has no interval. Two processors that call at the same moment may both measure from the same call before.`,
  overhead:
    'About 0.3 µs for each tracepoint (measured on a busy 2-core virtual machine), and what the hook itself costs: see funccount.',
  options: {
    ...probePointOptions,
    ...filters,
    uid: lettered(filters.uid),
    microseconds: { ...microseconds, conflicts: ['milliseconds'] },
    milliseconds,
    functions: flag('-F, --function', 'each function apart', { set: 'by_function' }),
    processes: flag('-P, --per-process', 'from the last call of the same process', { set: 'by_process' }),
    threads: flag('-L, --per-thread', 'from the last call of the same thread', { set: 'by_thread' }),
    cpus: flag('-C, --per-cpu', 'from the last call on the same processor', { set: 'by_cpu' }),
    interval: seconds('-i, --interval <SECONDS>', 'seconds between outputs; otherwise once, at the end'),
    duration: durationOption,
  },
  map: 'hists',
  detailed: true,
  unit: ({ microseconds, milliseconds }) => (milliseconds ? units.msecs : microseconds ? units.usecs : units.nsecs),
  keys: { func: { when: ['functions'], header: 'Function' } },
  computed: {
    func: {
      type: 'text_t',
      help: 'name of the function or event',
      value: ({ place }, values) => probePointName(place, values),
    },
  },
  attach: atProbePoints,
  warnings: probePointWarnings,
  examples: {
    't:sched:sched_switch': 'the time between switches, in nanoseconds',
    '-u -C t:sched:sched_switch': 'the same on each processor, in microseconds',
    "-mF -p 181 -i 1 'c:*alloc'": 'how often process 181 allocates, each second',
    '-u vfs_read': 'the time between reads of files',
  },
  sample: {
    before: 'A server handles 20 requests, one right after the other:',
    args: '-p 24775 -m :handle_request',
    output: `
          msecs           : count    distribution
         0 -> 1          : 5        |**********************                  |
         2 -> 3          : 9        |****************************************|
         4 -> 7          : 4        |*****************                       |
         8 -> 15         : 0        |                                        |
        16 -> 31         : 1        |****                                    |

avg = 4 msecs, total: 71 msecs, count: 19, p50 = 3, p90 = 7, p99 = 29`,
    after:
      'Between 20 calls lie 19 intervals, of 2 to 3 milliseconds most often. After one request the next came only 16 milliseconds later or more: funcslower(8) shows which one kept the server.',
  },
});
