import bpf from '../bpf/biosnoop.bpf.ts';
import {
  accepted,
  atLeastMilliseconds,
  diskFilter,
  diskName,
  filters,
  lettered,
  requestFlags,
  runTime,
  snoop,
} from '../lib/tool.ts';

const milliseconds = (time: number) => (time / 1e6).toFixed(3);

export default snoop(bpf, {
  summary: 'Trace each request to a block device, with its latency.',
  area: 'disks',
  activity: 'Tracing block I/O',
  description: `
Prints a line for each request when it completes (block:block_rq_complete). The latency counts from when it was given to the driver of the device (block:block_rq_issue), for the last time if the driver gave it back; --queue shows the time before that as well, since the request was made (block:block_io_start; before Linux 6.5: since it was queued for the I/O scheduler, and nothing where there is none). T is the first letter of the operation: R for read, W for write, D for discard, F for flush. A request that completes in parts has one line, with all its bytes. The field failed is true when the device reported an error.

The process is the one that makes the request (block:block_io_start, from Linux 6.5 on), or before that the one that queues it or gives it to the driver, which mostly is the same. What is written back later is asked for by a kernel thread, and flushes of the disk's cache are made by one. Filters by process, user, command or cgroup select by that task. A request that is merged into another one is part of that, whoever asked for it.

--pattern tells whether a request begins where the one before it ended: the one that completed before it on the same disk, with the same operation, and passed the filters by task.`,
  overhead: 'About 1.6 µs for each request (run time of the programs on a busy 2-core virtual machine).',
  options: {
    ...filters,
    cgroup: lettered(filters.cgroup, 'c'),
    ...diskFilter,
    minimum: atLeastMilliseconds('-m, --min <MS>', 'requests that took', 'min_latency'),
    ...runTime,
    timestamp: accepted('--timestamp'),
  },
  meanings: {
    queued: 'nanoseconds from when the request was made to when the driver got it',
    latency: 'nanoseconds from when the driver got the request to its end',
    cmd_flags: 'operation and flags, as the kernel has them in a number',
  },
  columns: {
    time: {},
    comm: {},
    pid: {},
    disk: { width: 9 },
    operation: { header: 'T', width: 1, text: (operation) => String(operation).charAt(0) },
    sector: {},
    bytes: { text: String },
    pattern: {
      flag: '-P, --pattern',
      summary: 'show whether access is sequential or random',
      header: 'P',
      width: 1,
      text: (pattern) => (pattern === 'unknown' ? '?' : pattern.charAt(0).toUpperCase()),
    },
    request: { header: 'FLAGS', flag: '-F, --flags', summary: 'show the flags of the request', width: 16 },
    queued: {
      flag: '-Q, --queue',
      summary: 'show the time before the driver got it',
      hidden: ['--queued'],
      header: 'QUE(ms)',
      text: milliseconds,
    },
    latency: { header: 'LAT(ms)', text: milliseconds },
  },
  computed: {
    disk: { type: 'text_t', help: 'disk', value: ({ dev }) => diskName(dev) },
    operation: {
      type: 'text_t',
      help: 'read, write, flush, discard..., as the kernel names it',
      value: ({ cmd_flags }) => requestFlags(cmd_flags).replace(/.*-/, ''),
    },
    request: { type: 'text_t', help: 'operation and flags', value: ({ cmd_flags }) => requestFlags(cmd_flags) },
  },
  attach: {
    either: [['block_io_start__tp_btf'], ['block_rq_insert__tp_btf']],
    optional: ['block_rq_merge__tp_btf'],
  },
  examples: {
    '': 'trace all requests',
    '-Q -d sda': 'those of one disk, with the time in the queue',
    '-m 10 60': 'those that take 10 ms or more, for a minute',
    '-P -p 181': 'the pattern in which a process reads and writes',
  },
  sample: {
    before:
      'dd writes 20 blocks of 64 kilobytes to a file, with an fsync at the end, and another dd reads some of it past the page cache, 4 kilobytes at a time:',
    args: '-d vda --comm dd',
    output: `
TIME     COMM                 PID DISK      T     SECTOR    BYTES  LAT(ms)
17:20:09 dd                  2624 vda       W   60149760  1310720    0.572
17:20:09 dd                  2624 vda       W  490995728     4096    0.103
17:20:09 dd                  2625 vda       R   60149760     4096    0.291
17:20:09 dd                  2625 vda       R   60149768     4096    0.133`,
    after:
      'The kernel made one request of the 20 writes; the small write elsewhere on the disk is that of the file system itself. Each read(2) of 4096 bytes is one request, 8 sectors behind the one before. LAT(ms) is the time between the driver got the request and the disk had done it.',
  },
});
