import bpf from '../bpf/drsnoop.bpf.ts';
import { accepted, durationOption, filters, flag, freeBytes, nameContains, snoop } from '../lib/tool.ts';

export default snoop(bpf, {
  summary: 'Trace tasks that must reclaim memory, and for how long.',
  area: 'memory',
  activity: 'Tracing direct reclaim',
  description: `
Prints a line each time that a task wants memory, there is too little, and it has to look for some to reclaim before it can go on (vmscan:mm_vmscan_direct_reclaim_begin and _end): how long that took and how many pages it won. kswapd does the same in the background; a machine that has many of these lines does not have enough memory, or not where it is needed.

A task that has reached the limit of its cgroup reclaims memory of the cgroup: that is no direct reclaim in the words of the kernel, and it is shown with --memcg (vmscan:mm_vmscan_memcg_reclaim_begin and _end).

FREE is how much memory of the machine is free when the line is printed.`,
  overhead:
    'About 1.2 µs for each time that a task reclaims memory (run time of the programs on a busy 2-core virtual machine).',
  options: {
    ...filters,
    name: nameContains,
    memcg: flag('-m, --memcg', 'also reclaim for the limits of cgroups'),
    timestamp: accepted('-T, --timestamp'),
    duration: durationOption,
  },
  keep: ({ comm }, { name }) => name === undefined || comm.includes(name),
  meanings: {
    pages: 'pages that were got back',
    order: 'size that is wanted, as a power of two in pages',
  },
  columns: {
    time: {},
    uid: { flag: '-U, --print-uid' },
    comm: {},
    pid: {},
    tid: { flag: '--print-tid' },
    latency: { header: 'LAT(ms)', text: (latency) => (latency / 1e6).toFixed(2) },
    pages: {},
    free_bytes: {
      flag: '-e, --extended',
      summary: 'show how much memory is free',
      hidden: ['--extended_fields'],
      header: 'FREE(KB)',
      text: (bytes) => String(Number(bytes) / 1024),
    },
  },
  computed: {
    free_bytes: {
      type: 'maybe_bytes_t',
      help: 'free memory in bytes when the line is printed, with --extended',
      value: (_, values) =>
        (values as { readonly show_free_bytes?: boolean }).show_free_bytes === true ? freeBytes() : undefined,
    },
  },
  attach: { unwanted: ({ memcg }) => (memcg ? [] : ['memcg_begins__tp', 'memcg_ends__tp']) },
  examples: {
    '': 'trace all direct reclaim',
    '-e -p 181': 'that of a process, with the memory that is free',
    '-m --cgroup /sys/fs/cgroup/system.slice': 'that in a cgroup, and for its limit',
  },
  sample: {
    before: 'dd reads a file of 24 MiB in a cgroup that may have 16:',
    args: '-m --comm dd',
    output: `
TIME     COMM                 PID  LAT(ms) PAGES
20:52:46 dd                 30317     0.14   480
20:52:46 dd                 30317     0.07   672
20:52:46 dd                 30317     0.05   704
20:52:46 dd                 30317     0.03   704`,
    after:
      'Four times dd met the limit, and had to free pages itself before it could go on: 2560 of them in 0.3 ms, as pages of a file that nobody changed are free at once. Without -m it is only shown when the whole machine has no memory left.',
  },
});
