import bpf from '../bpf/biostacks.bpf.ts';
import { diskFilter, diskName, filters, histogram, milliseconds, units } from '../lib/tool.ts';

export default histogram(bpf, {
  summary: 'Summarize the latency of block I/O by kernel stack.',
  area: 'disks',
  activity: 'Tracing block I/O with stacks',
  description: `
Measures how long a request takes from when it is made (block:block_io_start) to its completion (block:block_rq_complete), the time in the queue of the I/O scheduler included, and prints a distribution for each process, disk and kernel stack on which it was made: the stack tells what the I/O is for. Before Linux 6.5 it is the stack on which the request is queued (block:block_rq_insert) or given to the driver (block:block_rq_issue), and the time from then.

What is written back later shows the stack of the kernel thread that does that. A request that is merged into another one has no stack of its own.`,
  overhead:
    'About 3.4 µs for each request, most of it for the stack (run time of the programs on a busy 2-core virtual machine).',
  options: {
    ...filters,
    ...diskFilter,
    milliseconds,
  },
  map: 'hists',
  unit: ({ milliseconds }) => (milliseconds ? units.msecs : units.usecs),
  keys: { comm: {}, pid: {}, disk: { width: 9 } },
  kernelStack: { id: 'stack', table: 'stacks' },
  computed: { disk: { type: 'text_t', help: 'disk', value: ({ dev }) => diskName(dev) } },
  attach: {
    either: [['block_io_start__tp_btf'], ['block_rq_insert__tp_btf']],
    optional: ['block_rq_merge__tp_btf'],
  },
  examples: {
    '': 'where I/O comes from, and how long it takes, until Ctrl-C',
    '-d sda -m': 'that of one disk, in milliseconds',
    '--comm postgres 10': 'that of a database, every 10 seconds',
  },
  sample: {
    before: 'dd reads 50 blocks of 4 kilobytes of a file past the page cache:',
    args: '-d vda --comm dd --perf-max-stack-depth 8 -m',
    output: `
comm = dd
pid = 1422
disk = vda
    blk_account_io_start
    blk_mq_submit_bio
    __submit_bio
    submit_bio_noacct_nocheck
    iomap_dio_bio_iter
    __iomap_dio_rw
          msecs           : count    distribution
         0 -> 1          : 50       |****************************************|`,
    after:
      'All requests came the same way, and none took 2 milliseconds. The names with dio say that it was direct input and output; a deeper stack shows the system call as well.',
  },
});
