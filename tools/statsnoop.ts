import bpf from '../bpf/statsnoop.bpf.ts';
import { durationOption, failedOnly, filters, flag, snoop } from '../lib/tool.ts';

export default snoop(bpf, {
  summary: 'Trace the stat(2) family of system calls.',
  area: 'files',
  activity: 'Tracing stat(2) and its like',
  description: `
Prints a line for each stat(2), lstat(2), fstat(2), fstatat(2), statx(2), statfs(2) and fstatfs(2) when it returns. The path is the one that the program gave, or that of the file whose descriptor it gave; FD is that descriptor. With --full-path the directory is put before relative names: that of dirfd, or the current one.

Not seen are the calls of 32-bit programs that only they have (stat64 and its like), and what io_uring asks.`,
  overhead:
    'About 0.2 µs for each call that is filtered out or fails early, 1 µs for one that is printed, and 3 to 5 µs for a descriptor, whose path is looked up (run time of the programs on a busy 2-core virtual machine).',
  options: {
    ...filters,
    failed: failedOnly,
    fullPath: flag('-F, --full-path', 'show full paths, also of relative names', { group: 'column', set: 'full_path' }),
    duration: durationOption,
  },
  columns: {
    time: { flag: '-T, --timestamp' },
    pid: {},
    comm: {},
    fd: {},
    error: { header: 'ERR' },
    syscall: { flag: '-s, --sysname', summary: 'show the system call' },
    path: { text: (path, { truncated }) => (truncated ? `${path}...` : path) },
  },
  attach: {
    optional: [
      'newstat__tp',
      'newlstat__tp',
      'newfstat__tp',
      'newfstatat__tp',
      'statx__tp',
      'statfs__tp',
      'fstatfs__tp',
    ],
  },
  examples: {
    '': 'trace all calls',
    '-x -p 181': 'trace what process 181 does not find',
    '-T -s -F': 'show time, system call and full paths too',
  },
  sample: {
    before: 'stat(1) is asked about a file that is not there:',
    args: '-x --comm stat',
    output: `
    PID COMM               FD ERR     PATH
   2630 stat                - ENOENT  /sys/fs/selinux
   2630 stat                - ENOENT  /selinux
   2630 stat                - ENOENT  missing`,
    after:
      'Three calls failed: the first two are what a library looks for at each start of the command, the last one is what the user asked about.',
  },
});
