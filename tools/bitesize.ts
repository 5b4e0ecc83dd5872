import bpf from '../bpf/bitesize.bpf.ts';
import { diskFilter, filters, histogram, lettered, units } from '../lib/tool.ts';

export default histogram(bpf, {
  summary: 'Summarize the sizes of requests to block devices by command.',
  area: 'disks',
  activity: 'Tracing the sizes of block I/O',
  description: `
Counts each request when it is given to the driver of the device (block:block_rq_issue), with its size. A request that has no data, such as a flush, has size 0; one that the driver gives back and gets again counts each time.

The command is that of the task that issues the request. For what is written back later, and with some I/O schedulers, that is a kernel thread.`,
  overhead: 'About 0.4 µs for each request (run time of the programs on a busy 2-core virtual machine).',
  options: {
    ...filters,
    comm: lettered(filters.comm, 'c'),
    ...diskFilter,
  },
  map: 'hists',
  unit: () => units.kbytes,
  keys: { comm: {} },
  examples: {
    '': 'sizes by command until Ctrl-C',
    '1 10': 'each second, 10 times',
    '-d sda -c dd': 'the requests of dd to one disk',
  },
  sample: {
    before:
      'Three times, dd writes 20 blocks of 64 kilobytes to a file, with an fsync at the end, and another dd reads 50 blocks of 4 kilobytes past the page cache:',
    args: '--comm dd',
    output: `
comm = dd
         Kbytes           : count    distribution
         4 -> 7          : 157      |****************************************|
      1024 -> 2047       : 3        |                                        |`,
    after:
      'Three writes of more than a megabyte, each of which the kernel made of 20 that the program asked for, and 157 requests of 4 kilobytes: a program that reads past the page cache pays for each of its small reads.',
  },
});
