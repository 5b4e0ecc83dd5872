import bpf from '../bpf/biolatency.bpf.ts';
import {
  commonOptions,
  diskFilter,
  diskName,
  filters,
  flag,
  histogram,
  lettered,
  milliseconds,
  requestFlags,
  units,
} from '../lib/tool.ts';

export default histogram(bpf, {
  summary: 'Summarize the latency of block I/O.',
  area: 'disks',
  activity: 'Tracing block I/O',
  description: `
Measures how long a request takes from when it is given to the driver of the device (block:block_rq_issue) to its completion (block:block_rq_complete). With --queued the time counts from when it is queued for the I/O scheduler (block:block_rq_insert); where there is no scheduler that is the same. A request that completes in parts counts once, with the last part; one that is merged into another one is part of that. The flags are named as in the running kernel.

Filters by process, user, command or cgroup select by the task that queues or issues the request; for what is written back later that is a kernel thread.`,
  overhead: 'About 1.1 µs for each request (run time of the programs on a busy 2-core virtual machine).',
  options: {
    json: lettered(commonOptions.json, 'j'),
    ...filters,
    cgroup: lettered(filters.cgroup, 'c'),
    ...diskFilter,
    queued: flag('-Q, --queued', 'include the time in the queue of the I/O scheduler', { set: 'queued' }),
    disks: flag('-D, --disks', 'each disk apart', { set: 'by_disk' }),
    flags: flag('-F, --flags', 'each kind of request apart', { set: 'by_flags', hidden: ['--flag'] }),
    milliseconds,
  },
  map: 'hists',
  unit: ({ milliseconds }) => (milliseconds ? units.msecs : units.usecs),
  keys: { disk: { width: 9, when: ['disks'] }, request: { when: ['flags'] } },
  computed: {
    disk: { type: 'text_t', help: 'disk', value: ({ dev }) => diskName(dev) },
    request: { type: 'text_t', help: 'operation and flags', value: ({ cmd_flags }) => requestFlags(cmd_flags) },
  },
  attach: {
    // Without filters and --queued the first sight may as well be when it is issued.
    unwanted: ({ queued, pid, tid, uid, comm, cgroup, cgroupMap, mountNamespaceMap }) =>
      queued || [pid, tid, uid, comm, cgroup, cgroupMap, mountNamespaceMap].some((one) => one !== undefined)
        ? []
        : ['block_rq_insert__tp_btf'],
    optional: ['block_rq_merge__tp_btf'],
  },
  examples: {
    '': 'one distribution until Ctrl-C',
    '1 10': 'a distribution each second, 10 times',
    '-mT 1': 'in milliseconds, with the time',
    '-Q': 'include the time in the queue',
    '-D': 'each disk apart',
    '-F -d sda': 'each kind of request of one disk apart',
  },
  sample: {
    before:
      'Three times, dd writes 20 blocks of 64 kilobytes to a file, with an fsync at the end, and another dd reads 50 blocks of 4 kilobytes past the page cache:',
    args: '-d vda',
    output: `
          usecs           : count    distribution
        16 -> 31         : 1        |                                        |
        32 -> 63         : 132      |****************************************|
        64 -> 127        : 53       |****************                        |
       128 -> 255        : 70       |*********************                   |
       256 -> 511        : 15       |****                                    |
       512 -> 1023       : 8        |**                                      |`,
    after:
      '186 of 279 requests took less than 128 microseconds. The second hill at 128 to 255 may be of another kind: -F shows each kind apart. The eight slow ones are what somebody may have waited for.',
  },
});
