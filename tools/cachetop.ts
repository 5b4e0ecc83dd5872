import bpf from '../bpf/cachetop.bpf.ts';
import { filters, pageCache, top } from '../lib/tool.ts';

export default top(bpf, {
  summary: 'Show who hits and misses the page cache.',
  area: 'files',
  activity: 'Tracing the page cache',
  description: `
Prints at each interval, for each process, how many pages it used through the page cache, counted as by cachestat(8), whose page tells the hooks: accesses that were hits, pages that had to be read (also ahead), and pages that became dirty. READ_HIT% is the share of the hits among hits and misses; WRITE_HIT% is the share of pages that were in the cache already among those that the process made dirty.

What kernel threads write back later is not counted again.`,
  overhead:
    'About 0.3 µs for each call that reads, each page that comes into the cache or becomes dirty, and each page fault of a file (run time of the programs on a busy 2-core virtual machine).',
  options: { ...filters, file: pageCache.file },
  map: 'uses',
  columns: {
    pid: {},
    uid: {},
    comm: { header: 'CMD' },
    hits: {},
    misses: {},
    dirties: {},
    ratio: { header: 'READ_HIT%', width: 9 },
    write_ratio: { header: 'WRITE_HIT%', width: 10 },
  },
  computed: pageCache.computed,
  sort: ['hits', 'misses', 'dirties', 'pid', 'uid', 'comm', 'ratio', 'write_ratio'],
  interval: 5,
  rows: 20,
  screen: true,
  meanings: pageCache.meanings,
  attach: pageCache.attach,
  prepare: pageCache.prepare,
  examples: {
    '': 'a screen every 5 seconds',
    '-s misses 1': 'who reads from disks, each second',
    '-C -p 181 1 10': 'one process, ten times, one below the other',
  },
  sample: {
    before:
      'dd has a file of 8 MiB dropped from the page cache, another dd reads it, a third one reads it again, and a fourth one writes 4 MiB to a new file:',
    args: '-C --comm dd 1000',
    output: `
20:53:30 loadavg: 10.29 13.26 12.41 12/288 32690
  PID UID CMD HITS MISSES DIRTIES READ_HIT% WRITE_HIT%
32689   0 dd  2583      0       0    100.00          -
32688   0 dd   527   2048       0     20.47          -
32687   0 dd   525      0       0    100.00          -
32690   0 dd   523      0    1024    100.00       0.00`,
    after:
      '8 MiB are 2048 pages: all of them were misses for the first reader, 32688, and hits for the second one, 32689. The other 520 or so of each are pages of the program itself. None of the 1024 pages that 32690 wrote was in the cache before.',
  },
});
