import bpf from '../bpf/fileslower.bpf.ts';
import { atLeastMilliseconds, fileName, fileOpCalls, fileOpFunctions, filters, flag, snoop } from '../lib/tool.ts';

export default snoop(bpf, {
  summary: 'Trace reads and writes of files that take long.',
  area: 'files',
  activity: 'Tracing slow reads and writes of files',
  description: `
Prints a line for each read and write that a system call waited for longer than a threshold: by read(2), pread(2), readv(2), preadv(2), preadv2(2) and their counterparts that write. Whether the time went to a disk, to a lock or to waiting for a processor cannot be told. Usually only regular files are shown.

The time is that of the kernel functions behind the system calls (fentry and fexit), or else that of the system calls, where finding the file and waiting for its position come on top. The bytes are those that were moved; a call that failed has the error instead. Not seen are sendfile(2), splice(2), copy_file_range(2), memory mappings, io_uring, native asynchronous I/O, and what the kernel writes back later by itself.

The name is the last part of the path; JSON has the whole path. Sockets and the like have the name that the kernel gave them, or that of their file system.`,
  overhead:
    'About 0.9 µs for each read or write of a regular file, and 0.4 µs for those that a filter leaves out (measured on a busy 2-core virtual machine with the hooks on system calls, where a pread(2) of 64 bytes took 0.55 µs).',
  options: {
    ...filters,
    all: flag('-a, --all-files', 'also sockets, pipes and devices', { set: 'all_files' }),
    minimum: atLeastMilliseconds('[min_ms]', 'reads and writes that took', 'min_latency', { usual: 10 }),
    fullPath: flag('-F, --full-path', 'show paths instead of names', { group: 'column' }),
  },
  computed: { file: { type: 'text_t', help: 'last part of the path', value: ({ path }) => fileName(path) } },
  meanings: {
    offset: 'where in the file it begins, in bytes',
  },
  columns: {
    time: {},
    comm: {},
    tid: {},
    operation: { header: 'D', width: 1, text: (name) => (name === 'read' ? 'R' : 'W') },
    bytes: { text: String },
    latency: { header: 'LAT(ms)', text: (latency) => (latency / 1e6).toFixed(2) },
    file: { header: 'FILENAME', text: (name, { path }, { fullPath }) => (fullPath ? path : String(name)) },
  },
  attach: { either: [fileOpFunctions, fileOpCalls] },
  examples: {
    '': 'trace reads and writes that take 10 ms or more',
    '1 -F': 'those of 1 ms or more, with paths',
    '-a -p 181 0': 'trace all reads and writes of process 181',
  },
  sample: {
    before:
      'dd writes 20 blocks of 64 kilobytes to a file, with an fsync at the end, and another dd reads some of it past the page cache, 4 kilobytes at a time:',
    args: '2 --comm dd',
    output: `
TIME     COMM                 TID D    BYTES  LAT(ms) FILENAME
17:20:35 dd                  3617 R     4096     3.00 log
17:20:35 dd                  3617 R     4096     2.73 log
17:20:35 dd                  3617 R     4096     7.33 log`,
    after:
      'Three of 50 reads took longer than 2 milliseconds, as the program saw it. Whether the disk was slow or the processors were busy tells biosnoop(8), which measures the requests to the disk alone.',
  },
});
