import bpf from '../bpf/opensnoop.bpf.ts';
import {
  accepted,
  bufferPages,
  durationOption,
  failedOnly,
  filters,
  flag,
  hasOpenFlag,
  list,
  nameContains,
  parseOpenFlag,
  snoop,
} from '../lib/tool.ts';

export default snoop(bpf, {
  summary: 'Trace the open(2) family of system calls.',
  area: 'files',
  description: `
Prints a line for each open(2), creat(2), openat(2) and openat2(2) when it returns, with its result.

The name is the one that the program gave. With --full-path a relative name is resolved: to the path of the file that was opened, symbolic links included, or, when the call failed, to the path of the directory it was relative to (dirfd or the current directory) and the name. Paths are those inside the mount namespace of the process.

Files opened through io_uring, and those that the kernel opens for itself, are not seen. A name that the kernel could not read (a bad address) is empty and marked unreadable.`,
  overhead:
    'About 0.7 µs for each traced open (measured on a 2-core virtual machine, where an open and close took 2.1 µs: a process that does nothing else runs 31 % slower), and 0.4 µs of CPU time of the tool for each printed line; with --json 1.3 µs. Opens that a filter leaves out cost about 0.1 µs. Stacks of a few functions (-c) cost 0.2 µs more.',
  options: {
    ...filters,
    failed: failedOnly,
    name: nameContains,
    flagFilter: list(
      '-f, --flag-filter <FLAG>',
      'only opens with any of these flags, as O_WRONLY,O_CREAT',
      parseOpenFlag,
      {
        group: 'filter',
        set: 'flag_filter',
        // The kernel keeps what has any of the bits; O_RDONLY has none.
        encode: (flags) => (flags.includes(0) ? 0 : flags.reduce((all, one) => all | one, 0)),
        hidden: ['--flag_filter'],
      },
    ),
    callers: flag('-c, --callers', 'show the functions of the program that called', {
      group: 'column',
      set: 'user_stacks',
    }),
    fullPath: flag('-F, --full-path', 'show full paths, also of relative names', {
      group: 'column',
      set: 'full_path',
      hidden: ['--paths'],
    }),
    names: accepted('--errname'),
    depth: accepted('--depth <COUNT>'),
    duration: durationOption,
    bufferPages: bufferPages('-b, --buffer-pages <PAGES>'),
  },
  keep: ({ comm, flags }, { name, flagFilter }) =>
    (name === undefined || comm.includes(name)) &&
    (flagFilter === undefined || flagFilter.some((one) => hasOpenFlag(flags, one))),
  meanings: {
    truncated: 'present when the beginning or end of the path is missing',
    unreadable: 'present when the path could not be read',
  },
  columns: {
    time: { flag: '-T, --timestamp' },
    uid: { flag: '-U, --print-uid' },
    pid: {},
    tid: { when: 'tid' },
    comm: {},
    fd: {},
    error: { header: 'ERR' },
    flags: { flag: '-e, --extended-fields', summary: 'show flags and mode', hidden: ['--extended_fields'] },
    mode: { when: 'flags' },
    path: { text: (path, { truncated }) => (truncated ? `${path}...` : path) },
  },
  stacks: { table: 'stacks', user: 'callers', process: 'pid', when: ['callers'] },
  attach: { optional: ['open__tp', 'creat__tp', 'openat__tp', 'openat2__tp'] },
  examples: {
    '': 'trace every open',
    '-x -p 181': 'trace the failed opens of process 181',
    '-T -U -e': 'show time, user, flags and mode too',
    '-F -n nginx': 'trace the opens of commands with nginx in the name, with full paths',
    '-c -p 181': 'show what called open in process 181',
    '-f O_WRONLY -f O_RDWR -d 10': 'trace opens for writing for 10 seconds',
  },
  sample: {
    before: 'A script shows two files with cat, of which one is not there:',
    args: '-x --comm cat',
    output: `
    PID COMM               FD ERR     PATH
  17129 cat                 - ENOENT  settings.conf`,
    after:
      'The path is as cat gave it, relative to its current directory: -F shows all of it, and -c who called. Without -x, the other file and each library that cat needs has a line as well.',
  },
});
