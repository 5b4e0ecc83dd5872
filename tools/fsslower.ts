import bpf from '../bpf/fsslower.bpf.ts';
import {
  atLeastMilliseconds,
  csvOption,
  durationOption,
  fileName,
  fileSystemAliases,
  fileSystemHooks,
  fileSystemType,
  filters,
  flag,
  lettered,
  prepareFileSystem,
  snoop,
} from '../lib/tool.ts';

const letters: Readonly<Record<string, string>> = { read: 'R', write: 'W', open: 'O', fsync: 'S' };

export default snoop(bpf, {
  summary: 'Trace operations of a file system that take long.',
  area: 'files',
  activity: 'Tracing slow operations of a file system',
  description: `
Prints a line for each read (R), write (W), open (O) and fsync (S) of a kind of file system that took longer than a threshold, with the bytes that were moved and where in the file they are. An fsync has the range that it is limited to; 0 bytes are the whole file. What failed has the error.

What is measured are the file system's own functions (fentry and fexit, or else kprobes): whoever calls them, system calls, io_uring, or another file system that is on top, as overlayfs is. A synchronous write holds an fsync of its own, which has a line too; on FUSE not where the server keeps files out of the page cache (direct_io). The module of the file system must be loaded. Where that is not possible, what is measured are the system calls on regular files of that type: read(2), write(2) and their relatives, open(2) and its relatives if they succeed, fsync(2) and fdatasync(2), with what the kernel does around the file system. -v says which it is.

A request that goes on after the function has returned (asynchronous direct I/O), or that is refused because it would have to wait, is left out. Memory mappings are not seen, and neither is what the kernel writes back later by itself. For NFS, opens are those of NFS 4 if its module is loaded. An open that is part of a lookup, as most first ones are on NFS 4 and those that create a file on FUSE, takes as long as the lookup. FUSE is also what is on a disk (fuseblk), but not virtiofs, which has the same functions and is a kind of its own.

The name is the last part of the path, as the task sees it, or in the file system alone where another one is on top; JSON has the whole path.`,
  overhead:
    'About 0.8 µs for each read or write and 1 µs for each open that are quick enough for no line (measured on a 2-core virtual machine with the hooks on system calls, where a pread(2) of 64 bytes took 0.35 µs, and an open and close 1.8 µs), and 0.5 µs for those of other file systems.',
  options: {
    ...filters,
    tid: lettered(filters.tid),
    type: { ...fileSystemType, hidden: ['--filesystem'] },
    minimum: atLeastMilliseconds('-m, --min <MS>', 'operations that took', 'min_latency', {
      usual: 10,
      place: '[min_ms]',
    }),
    csv: { ...lettered(csvOption, 'j'), hidden: ['-c', '-s'] },
    fullPath: flag('-F, --full-path', 'show paths instead of names', { group: 'column' }),
    duration: durationOption,
  },
  computed: { file: { type: 'text_t', help: 'last part of the path', value: ({ path }) => fileName(path) } },
  meanings: {
    offset: 'where in the file it begins, in bytes',
  },
  columns: {
    time: {},
    comm: {},
    pid: {},
    operation: { header: 'T', width: 1, text: (name) => letters[name] ?? name },
    bytes: { text: String },
    offset: { header: 'OFF_KB', text: (offset) => String(Math.floor(offset / 1024)) },
    latency: { header: 'LAT(ms)', text: (latency) => (latency / 1e6).toFixed(2) },
    file: { header: 'FILENAME', text: (name, { path }, { fullPath }) => (fullPath ? path : String(name)) },
  },
  attach: fileSystemHooks,
  prepare: prepareFileSystem,
  aliases: fileSystemAliases('slower'),
  examples: {
    '-t ext4': 'operations of ext4 that take 10 ms or more',
    '-t xfs 1 -F': 'those of XFS of 1 ms or more, with paths',
    '-t ext4 -p 181 0': 'all that process 181 does on ext4',
    '-t nfs -d 60 -j': 'those of NFS for a minute, as comma-separated values',
  },
  sample: {
    before:
      'dd writes 20 blocks of 64 kilobytes to a file, with an fsync at the end, and another dd reads some of it past the page cache, 4 kilobytes at a time:',
    args: '-t ext4 1 --comm dd',
    output: `
TIME     COMM                 PID T    BYTES   OFF_KB  LAT(ms) FILENAME
17:20:35 dd                  3616 S        0        0    10.78 log
17:20:35 dd                  3617 R     4096        0     3.00 log
17:20:35 dd                  3617 R     4096       56     2.74 log
17:20:35 dd                  3630 O        0        0     3.05 log`,
    after:
      'An fsync of the whole file took 10.78 ms, two reads of 4096 bytes, at the start and 56 kilobytes into the file, about 3 ms each, and an open 3 ms. What was quicker than 1 ms has no line.',
  },
});
