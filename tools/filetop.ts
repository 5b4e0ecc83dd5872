import bpf from '../bpf/filetop.bpf.ts';
import {
  bytesMoved,
  fileIoColumns,
  fileIoHooks,
  fileIoOrder,
  fileName,
  filters,
  flag,
  setDirectories,
  text,
  top,
} from '../lib/tool.ts';

export default top(bpf, {
  summary: 'Show which files are read and written most, and by whom.',
  area: 'files',
  activity: 'Tracing reads and writes of files',
  description: `
Prints, every second, the files that threads read and wrote most: how many calls, and how many bytes these really moved. Calls that failed count, with no bytes. There is a line for each thread and file, so hard links are one file. Usually only regular files are shown.

Seen are read(2), pread(2), readv(2), preadv(2), preadv2(2) and their counterparts that write, where the kernel functions behind them return (fexit), or else where the system calls return; both give the same numbers. Not seen are sendfile(2), splice(2), copy_file_range(2), memory mappings, io_uring, native asynchronous I/O, and what the kernel reads and writes by itself.

The name is the last part of the path; JSON has the whole path, as it was when the file was first seen. Of a path over 1 kilobyte the beginning is missing. Sockets and the like have the name that the kernel gave them, or that of their file system. A directory is told by file system and inode, so it does not matter by which path a file below it was opened.`,
  overhead:
    'About 0.5 µs for each read or write, and 0.2 µs for those that a filter leaves out (measured on a 2-core virtual machine with the hooks on system calls, where a pread(2) of 64 bytes took 0.3 µs).',
  options: {
    ...filters,
    all: flag('-a, --all-files', 'also sockets, pipes and devices', { set: 'all_files', hidden: ['--all'] }),
    reads: flag('--read-only', 'only reads', { set: 'only_reads', conflicts: ['writes'], group: 'filter' }),
    writes: flag('--write-only', 'only writes', { set: 'only_writes', group: 'filter' }),
    directory: text('-d, --directory <DIRECTORY>', 'only files in this directory and below', {
      set: 'filter_directory',
      encode: () => true,
      group: 'filter',
      completes: 'directory',
    }),
    fullPath: flag('-F, --full-path', 'show paths instead of names', { group: 'column' }),
  },
  map: 'files',
  screen: true,
  interval: 1,
  rows: 20,
  ...fileIoOrder,
  meanings: {
    rbytes: 'bytes read',
    wbytes: 'bytes written',
    reads: 'calls that read',
    writes: 'calls that write',
    type: 'R: regular file, S: socket, O: something else',
    inode: 'inode of the file',
  },
  computed: {
    bytes: bytesMoved,
    file: { type: 'text_t', help: 'last part of the path', value: ({ path }) => fileName(path) },
  },
  columns: {
    tid: {},
    comm: {},
    ...fileIoColumns,
    type: { header: 'T' },
    file: { text: (name, { path }, { fullPath }) => (fullPath ? path : String(name)) },
  },
  attach: { either: fileIoHooks },
  loaded(object, { directory }) {
    setDirectories(object, directory === undefined ? [] : [directory]);
  },
  examples: {
    '': 'the 20 files that are read and written most, every second',
    '-C 5 12': 'every 5 seconds for a minute, one table below the other',
    '-a -p 181': 'everything that process 181 reads and writes',
    '-s writes -r 5': 'the 5 files with the most writes',
    '-F -d /var/log --write-only': 'what is written below /var/log',
  },
  sample: {
    before:
      'dd writes 20 blocks of 64 kilobytes to a file, with an fsync at the end, and another dd reads some of it past the page cache, 4 kilobytes at a time:',
    args: '-C --comm dd 30 1',
    output: `
17:20:39 loadavg: 24.76 23.32 20.26 16/417 3775
 TID COMM READS WRITES R_Kb W_Kb T FILE
3616 dd       0     20    0 1280 R log
3617 dd      50      0  200    0 R log
3617 dd       2      0    2    0 R locale.alias`,
    after:
      'One dd made 20 writes of 64 kilobytes, the other one 50 reads of 4. Of locale.alias the second read found the end of the file: it counts as a read, and bytes are those that came, not those that were asked for.',
  },
});
