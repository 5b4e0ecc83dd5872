import bpf from '../bpf/dirtop.bpf.ts';
import {
  bytesMoved,
  directoryList,
  escapeText,
  fileIoColumns,
  fileIoHooks,
  fileIoOrder,
  filters,
  KscopeError,
  setDirectories,
  top,
} from '../lib/tool.ts';

export default top(bpf, {
  summary: 'Show how much is read and written below some directories.',
  area: 'files',
  activity: 'Tracing reads and writes below directories',
  description: `
Prints, every second, how often files below each of the directories were read and written, and how many bytes that really moved. Calls that failed count, with no bytes. A file counts for the nearest directory above it that was named, by whatever path or name it was opened, also below other file systems that are mounted on the way. Pipes, devices and sockets that have a place in a directory count as well.

Directories are told by file system and inode, and patterns are looked up once, at the start. On Btrfs, directories of different subvolumes can have the same inode number.

Seen are read(2), pread(2), readv(2), preadv(2), preadv2(2) and their counterparts that write, where the kernel functions behind them return (fexit), or else where the system calls return; both give the same numbers. Not seen are sendfile(2), splice(2), copy_file_range(2), memory mappings, io_uring, native asynchronous I/O, and what the kernel reads and writes by itself.`,
  overhead:
    'About 0.9 µs for each read or write of a file in the second directory from the root, more for deeper ones, and 0.2 µs for those that a filter leaves out (measured on a 2-core virtual machine with the hooks on system calls, where a pread(2) of 64 bytes took 0.3 µs).',
  options: {
    ...filters,
    directories: directoryList(
      '-d, --root-directories <DIRECTORIES>',
      'only files in these directories and below; patterns have * and ?',
    ),
  },
  map: 'totals',
  screen: true,
  interval: 1,
  rows: 20,
  ...fileIoOrder,
  meanings: {
    rbytes: 'bytes read',
    wbytes: 'bytes written',
    reads: 'calls that read',
    writes: 'calls that write',
    directory: 'place of the directory among those that were named, from 0',
  },
  computed: {
    bytes: bytesMoved,
    path: {
      type: 'path_t',
      help: 'the directory',
      value: ({ directory }, { directories }) => escapeText(directories?.[directory] ?? ''),
    },
  },
  columns: {
    ...fileIoColumns,
    path: {},
  },
  attach: { either: fileIoHooks },
  loaded(object, { directories }) {
    if (directories === undefined) {
      throw new KscopeError('usage', 'no directory is given', { hint: 'dirtop -d /var/log,/home/*' });
    }
    setDirectories(object, directories);
  },
  examples: {
    '-d /var': 'what is read and written below /var, every second',
    "-d '/home/*' -r 5": 'the 5 home directories with the most reads and writes',
    '-d /var/log,/tmp -C 5 12': 'two directories, every 5 seconds for a minute, one table below the other',
    '-d / -p 181 -s writes': 'what process 181 reads and writes, by writes',
  },
  sample: {
    before:
      'dd copies a program of 148 KiB from /usr to /tmp, 4 kilobytes at a time, and another dd the copy, 64 kilobytes at a time:',
    args: '-C -d /usr,/etc,/tmp -r 3 --comm dd 1000 1',
    output: `
21:02:08 loadavg: 11.85 12.66 12.36 16/270 32153
READS WRITES R_Kb W_Kb PATH
    4     40  147  295 /tmp
   44      0  152    0 /usr
    4      0    5    0 /etc`,
    after:
      'The 40 writes are 37 of 4 kilobytes and 3 of 64: the same file twice. Below /usr, the beginnings of libraries that dd needs were read as well; what is mapped afterwards is not seen.',
  },
});
