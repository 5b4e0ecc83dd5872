import bpf from '../bpf/fsdist.bpf.ts';
import {
  accepted,
  fileSystemAliases,
  fileSystemHooksWithGetattr,
  fileSystemType,
  filters,
  histogram,
  lettered,
  milliseconds,
  prepareFileSystem,
  units,
} from '../lib/tool.ts';

export default histogram(bpf, {
  summary: 'Summarize how long the operations of a file system take.',
  area: 'files',
  activity: 'Tracing operations of a file system',
  description: `
Measures how long a kind of file system takes to read, write, open and fsync files, and to tell their attributes (getattr), with a distribution for each.

What is measured are the file system's own functions (fentry and fexit, or else kprobes): whoever calls them, system calls, io_uring, or another file system that is on top, as overlayfs is. A synchronous write holds an fsync of its own, and both count; on FUSE not where the server keeps files out of the page cache (direct_io). The module of the file system must be loaded. Where that is not possible, what is measured are the system calls on regular files of that type: read(2), write(2) and their relatives, open(2) and its relatives if they succeed, fsync(2) and fdatasync(2), with what the kernel does around the file system; then there is no getattr. -v says which it is.

A request that goes on after the function has returned (asynchronous direct I/O), or that is refused because it would have to wait, is left out. Memory mappings are not seen. For NFS, opens are those of NFS 4 if its module is loaded. An open that is part of a lookup, as most first ones are on NFS 4 and those that create a file on FUSE, takes as long as the lookup. FUSE is also what is on a disk (fuseblk), but not virtiofs, which has the same functions and is a kind of its own.`,
  overhead:
    'About 0.8 µs for each read or write and 1 µs for each open (measured on a 2-core virtual machine with the hooks on system calls, where a pread(2) of 64 bytes took 0.35 µs, and an open and close 1.8 µs), and 0.5 µs for those of other file systems.',
  options: {
    ...filters,
    tid: lettered(filters.tid),
    type: fileSystemType,
    noTimestamp: accepted('--notimestamp'),
    milliseconds,
  },
  map: 'hists',
  unit: ({ milliseconds }) => (milliseconds ? units.msecs : units.usecs),
  keys: { operation: {} },
  attach: fileSystemHooksWithGetattr,
  prepare: prepareFileSystem,
  aliases: fileSystemAliases('dist'),
  examples: {
    '-t ext4': 'the operations of ext4, until Ctrl-C',
    '-t xfs -m 1 10': 'those of XFS in milliseconds, each second, 10 times',
    '-t nfs -p 181 -e': 'those of NFS that process 181 waits for, with averages and percentiles',
    '-t tmpfs': 'system calls on files of tmpfs',
  },
  sample: {
    before: 'cat copies a file of a megabyte, three times:',
    args: '-t ext4 --comm cat',
    output: `
operation = read
          usecs           : count    distribution
         0 -> 1          : 10       |****************************************|
         2 -> 3          : 5        |********************                    |

operation = open
          usecs           : count    distribution
         2 -> 3          : 39       |****************************************|
         4 -> 7          : 12       |************                            |`,
    after:
      '15 reads took less than 4 microseconds each, so that they came out of the page cache: no disk is that fast. The opens, of the libraries as well, took 2 to 7 microseconds.',
  },
});
