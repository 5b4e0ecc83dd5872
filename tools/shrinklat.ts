import bpf from '../bpf/shrinklat.bpf.ts';
import { filters, flag, histogram, milliseconds, units } from '../lib/tool.ts';

export default histogram(bpf, {
  summary: 'Summarize how long tasks are held up by reclaiming memory.',
  area: 'memory',
  activity: 'Tracing the latency of reclaim',
  description: `
Measures how long a task that wants memory looks for some to reclaim before it can go on, apart for the two reasons that there are: the machine has too little (vmscan:mm_vmscan_direct_reclaim_begin and _end), or a cgroup has reached its limit (vmscan:mm_vmscan_memcg_reclaim_begin and _end). What kswapd does in the background holds nobody up and is not counted.`,
  overhead:
    'About 0.9 µs for each time (run time of the programs on a busy 2-core virtual machine), which itself takes tens of microseconds and more.',
  options: {
    ...filters,
    comms: flag('-P, --comms', 'each command apart', { set: 'by_comm' }),
    milliseconds,
  },
  map: 'hists',
  unit: ({ milliseconds }) => (milliseconds ? units.msecs : units.usecs),
  keys: { reason: {}, comm: { when: ['comms'] } },
  computed: {
    reason: {
      type: 'text_t',
      help: 'whose memory was too little: machine or cgroup',
      value: ({ memcg }) => (memcg ? 'cgroup' : 'machine'),
    },
  },
  examples: {
    '': 'one distribution for each reason until Ctrl-C',
    '-P 10': 'each command apart, every 10 seconds',
    '--cgroup /sys/fs/cgroup/system.slice 1': 'the tasks of a cgroup, each second',
  },
  sample: {
    before: 'dd reads a file of 24 MiB in a cgroup that may have 16:',
    args: '-P --comm dd',
    output: `
reason = cgroup
comm = dd
          usecs           : count    distribution
         0 -> 1          : 0        |                                        |
         2 -> 3          : 0        |                                        |
         4 -> 7          : 0        |                                        |
         8 -> 15         : 0        |                                        |
        16 -> 31         : 1        |********************                    |
        32 -> 63         : 2        |****************************************|
        64 -> 127        : 0        |                                        |
       128 -> 255        : 1        |********************                    |`,
    after:
      'Four times dd had to free memory below the limit of its cgroup before it could go on, and waited for less than a quarter of a millisecond each time. drsnoop shows each of them, with what it won.',
  },
});
