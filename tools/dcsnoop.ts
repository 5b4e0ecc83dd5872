import bpf from '../bpf/dcsnoop.bpf.ts';
import { filters, flag, snoop } from '../lib/tool.ts';

export default snoop(bpf, {
  summary: 'Trace names that the cache of directory entries does not have.',
  area: 'files',
  activity: 'Tracing lookups of names',
  description: `
Prints a line for each name that was looked up in the cache of directory entries (dcache) and was not there (M), so that the file system was asked; with --all also for each that was (R). A name is one part of a path. That it does not exist is cached as well, by most file systems.

The lookups are calls of the kernel function lookup_fast. The last name of what is created, removed or renamed, and of opens with O_CREAT, is not looked up that way and is not shown. A walk that began again because something changed meanwhile has its lookups again.`,
  overhead:
    'A stat(2) of a path with two names that are in the cache took 20 % longer in an emulated machine, of which nanoseconds would say nothing.',
  options: { ...filters, all: flag('-a, --all', 'also names that are there', { set: 'all_lookups' }) },
  meanings: {
    name: 'name that was looked up',
    found: 'whether the cache had the name',
  },
  columns: {
    time: {},
    pid: {},
    comm: {},
    found: { header: 'T', width: 1, text: (found) => (found ? 'R' : 'M') },
    name: { header: 'FILE' },
  },
  examples: {
    '': 'trace names that are not in the cache',
    '-a -p 181': 'trace all names that process 181 looks up',
    '--comm make --json': 'those of make that are not in the cache, as JSON',
  },
  sample: {
    before: 'cat is asked for two files of /etc, of which one is not there:',
    args: '--comm cat',
    output: `
TIME         PID COMM             T FILE
20:48:10     416 cat              M no-such-file
20:48:10     416 cat              M hostname`,
    after:
      'Nobody had looked for either since the machine started, so that the file system had to be asked. etc, the other part of both paths, was in the cache, as was everything that cat itself needs: -a shows that as well.',
  },
});
