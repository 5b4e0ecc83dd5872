import bpf from '../bpf/biopattern.bpf.ts';
import { diskFilter, diskName, top } from '../lib/tool.ts';

const percent = (part: number, other: number) => (part === 0 ? 0 : Math.round((100 * part) / (part + other)));

export default top(bpf, {
  summary: 'Show how much of the I/O of disks is random.',
  area: 'disks',
  activity: 'Tracing the pattern of block I/O',
  description: `
Looks where each request begins when it completes (block:block_rq_complete): it is sequential if that is where the one that completed before it on the same disk has ended, and random otherwise. The first request of a disk is neither; it is part of COUNT and KBYTES. What was last is remembered from one output to the next. A request that completes in parts is one; a flush, which is at no place, is none.

Reads and writes are not told apart, and several sequential streams at once look random to the disk, as they are.`,
  overhead: 'About 0.4 µs for each request (run time of the programs on a busy 2-core virtual machine).',
  options: diskFilter,
  map: 'disks',
  meanings: {
    random: 'requests that began elsewhere than the one before has ended',
    sequential: 'requests that began where the one before has ended',
    count: 'requests that were done',
  },
  columns: {
    disk: { width: 9 },
    random_percent: { header: '%RND', width: 5 },
    sequential_percent: { header: '%SEQ', width: 5 },
    count: {},
    bytes: { header: 'KBYTES', text: (bytes) => String(Math.round(bytes / 1024)) },
  },
  computed: {
    disk: { type: 'text_t', help: 'disk', value: ({ dev }) => diskName(dev) },
    random_percent: {
      type: 'count_t',
      help: 'random requests in per cent',
      value: ({ random, sequential }) => percent(random, sequential),
    },
    sequential_percent: {
      type: 'count_t',
      help: 'sequential requests in per cent',
      value: ({ random, sequential }) => percent(sequential, random),
    },
  },
  sort: ['bytes', 'count', 'random', 'sequential'],
  examples: {
    '': 'all disks, until Ctrl-C',
    '-T 1 10': 'each second, 10 times, with the time',
    '-d sda 5': 'one disk, every 5 seconds',
  },
  sample: {
    before:
      'Three times, dd writes 20 blocks of 64 kilobytes to a file, with an fsync at the end, and another dd reads 50 blocks of 4 kilobytes past the page cache:',
    args: '-d vda',
    output: `
DISK %RND %SEQ COUNT KBYTES
vda    40   60   248  15616`,
    after:
      'Of 248 requests that moved 15,616 kilobytes, 60 % began where the request before them ended. On a disk that has to move its head, the others are those that cost.',
  },
});
