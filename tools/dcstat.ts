import bpf from '../bpf/dcstat.bpf.ts';
import { filters, top } from '../lib/tool.ts';

export default top(bpf, {
  summary: 'Show how often names are found in the cache of directory entries.',
  area: 'files',
  activity: 'Counting lookups of names',
  description: `
Prints, every second, how many names were looked up in the cache of directory entries (dcache), how many of these it did not have, so that the file system was asked, and the share that it had. Each part of a path is a lookup, also in a directory that turns out not to have it: that a name does not exist is cached as well, by most file systems.

REFS are the calls of the kernel function lookup_fast, and MISS those that found nothing; a walk that began again because something changed meanwhile counts again. The last name of what is created, removed or renamed is not looked up that way, but with d_lookup, whose calls are SLOW; opens with O_CREAT, and those that are a MISS, call it too. So SLOW is no part of the other numbers.`,
  overhead:
    'A stat(2) of a path with two names took 14 % longer in an emulated machine, of which nanoseconds would say nothing.',
  options: { ...filters },
  map: 'totals',
  perSecond: true,
  idle: { refs: 0, slow: 0, misses: 0 },
  interval: 1,
  sort: ['refs'],
  meanings: {
    refs: 'names that were looked up with lookup_fast',
    slow: 'names that were looked up with d_lookup',
    misses: 'names that lookup_fast did not find',
  },
  columns: { refs: {}, slow: {}, misses: { header: 'MISS' }, ratio: { header: 'HIT%' } },
  computed: {
    ratio: {
      type: 'percent_t',
      help: 'share of the names that the cache had; absent when there was none',
      value: ({ refs, misses }) => (refs > 0 ? (100 * (refs - misses)) / refs : undefined),
    },
  },
  examples: {
    '': 'lookups per second, each second',
    '-T 5 12': 'every 5 seconds for a minute, with the time',
    '-p 181': 'those of process 181',
  },
  sample: {
    before: 'find walks through /usr/share/doc:',
    args: '--comm find 1000',
    output: `
REFS/s SLOW/s MISS/s  HIT%
   264    458     83 68.46`,
    after:
      'Of 264 names a second, 83 were not in the cache, and the file system had to look for them. When find did the same again, it was none. SLOW are the searches of another kind, which are no part of the others.',
  },
});
