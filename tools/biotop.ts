import bpf from '../bpf/biotop.bpf.ts';
import { diskFilter, diskName, filters, requestFlags, top } from '../lib/tool.ts';

export default top(bpf, {
  summary: 'Show which processes use the disks, as top does.',
  area: 'disks',
  activity: 'Tracing block I/O by process',
  description: `
Adds up the requests to block devices that complete, by the process that asked for them, every second: how many, how much, and how long they took on average from when they were given to the driver (block:block_rq_issue) to their completion (block:block_rq_complete). D is the first letter of the operation: R for read, W for write, D for discard, F for flush; the field operation has the whole word. A request that completes in parts, or with an error, counts once, with all its bytes.

The process is the one that makes the request (block:block_io_start, from Linux 6.5 on), or before that the one that queues it for the I/O scheduler or gives it to the driver (block:block_rq_insert, block:block_rq_issue), which mostly is the same. What is written back later is asked for by a kernel thread, and flushes of the disk's cache are made by one. Filters by process, user, command or cgroup select by that task. A request that is merged into another one is part of that, whoever asked for it.

I/O that is served by the page cache is no request: it is not seen here.`,
  overhead: 'About 1.3 µs for each request (run time of the programs on a busy 2-core virtual machine).',
  options: { ...filters, ...diskFilter },
  map: 'done',
  meanings: {
    io: 'requests that were done',
    op: 'operation, as the kernel has it in a number',
  },
  columns: {
    pid: {},
    comm: {},
    operation: { header: 'D', width: 1, text: (operation) => String(operation).charAt(0) },
    dev: { header: 'MAJ MIN', align: 'right', text: (dev) => dev.replace(':', ' ') },
    disk: { width: 9 },
    io: { header: 'I/O' },
    bytes: { header: 'Kbytes', text: (bytes) => String(Math.round(bytes / 1024)) },
    average: { header: 'AVGms', text: (average) => (Number(average) / 1e6).toFixed(2) },
  },
  computed: {
    operation: {
      type: 'text_t',
      help: 'read, write, flush, discard..., as the kernel names it',
      value: ({ op }) => requestFlags(op),
    },
    disk: { type: 'text_t', help: 'disk', value: ({ dev }) => diskName(dev) },
    average: {
      type: 'ns_t',
      help: 'average time of a request in nanoseconds',
      value: ({ io, total }) => Math.round(total / io),
    },
  },
  sort: ['bytes', 'io', 'total'],
  sortAliases: { all: 'bytes', time: 'total' },
  rows: 20,
  interval: 1,
  screen: true,
  attach: {
    either: [['block_io_start__tp_btf'], ['block_rq_insert__tp_btf']],
    optional: ['block_rq_merge__tp_btf'],
  },
  examples: {
    '': 'who uses the disks, every second',
    '-C 5 12': 'one table after the other, every 5 seconds, a minute long',
    '-s total -r 5': 'the 5 for which the disks worked longest',
    '-d sda -p 181': 'the requests of one process to one disk',
  },
  sample: {
    before:
      'Three times, dd writes 20 blocks of 64 kilobytes to a file, with an fsync at the end, and another dd reads 50 blocks of 4 kilobytes past the page cache:',
    args: '-C -r 5 30 1',
    output: `
17:20:36 loadavg: 24.76 23.32 20.26 12/471 3673
 PID COMM D MAJ MIN DISK I/O Kbytes AVGms
3616 dd   W   254 0 vda    5   1296  0.27
3649 sync W   254 0 vda    3   1288  0.38
3646 dd   W   254 0 vda    3   1288  0.28`,
    after:
      'dd wrote 1296 kilobytes with 5 requests, which took 0.27 milliseconds on average. That sync(1) has written as much is no mistake: what cat had left in memory was written when sync asked for it.',
  },
});
