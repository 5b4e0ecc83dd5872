import bpf from '../bpf/syscount.bpf.ts';
import {
  accepted,
  choice,
  durationOption,
  errorFilter,
  failedOnly,
  filters,
  flag,
  integer,
  milliseconds,
  seconds,
  syscallFilter,
  syscallNames,
  top,
} from '../lib/tool.ts';

export default top(bpf, {
  summary: 'Count system calls, and sum up the time that they take.',
  area: 'processes',
  activity: 'Tracing system calls',
  description: `
Counts system calls when they return (raw_syscalls:sys_exit), and those that do not, exit(2) and exit_group(2), when the thread ends in them. A call that makes a process or thread counts once, although two return from it. The numbers of 32-bit programs are others than those of 64-bit ones; their calls have "(32-bit)" behind the name. A call that a signal interrupts and that the kernel makes again counts each time.

With --latency the time from raw_syscalls:sys_enter to the return is summed up as well; calls that were under way when the tracing began do not count then. Operations of io_uring are no system calls.

Names are those of Linux 7.0; a call that is newer is shown as syscall_NUMBER.`,
  overhead:
    'About 0.15 µs for each system call of the machine, and 0.4 µs with --latency (measured on a busy 2-core virtual machine): a process that does nothing but the cheapest calls runs a fifth slower, with --latency half as fast.',
  options: {
    ...filters,
    ppid: integer('-c, --ppid <PID>', 'only children of this process', {
      set: 'filter_ppid',
      group: 'filter',
      completes: 'pid',
      min: 1,
    }),
    syscall: syscallFilter('--syscall <NAME>', 'only this system call', 'filter_call'),
    failures: { ...failedOnly, flags: '-x, --failures' },
    error: errorFilter(
      '-e, --errno <ERROR>',
      'only calls that failed with this error, by name or number',
      'filter_error',
    ),
    latency: flag('-L, --latency', 'also sum up the time, and sort by it', { set: 'measure' }),
    milliseconds,
    names: accepted('--sysname'),
    process: flag('-P, --process', 'count by process instead of by call', { set: 'by_process' }),
    interval: seconds('-i, --interval <SECONDS>', 'seconds between outputs; otherwise once, at the end'),
    duration: durationOption,
    rows: integer('-T, --top <COUNT>', 'print at most this many rows; usually 10', {
      group: 'output',
      min: 1,
      hidden: ['--rows'],
    }),
    timestamp: flag('--timestamp', 'print the time with each output', { group: 'output' }),
    sort: choice('--sort <FIELD>', 'the column to sort by', ['count', 'total', 'syscall', 'pid'], { group: 'output' }),
  },
  map: 'counts',
  meanings: {
    count: 'calls',
  },
  columns: {
    pid: { when: 'process' },
    comm: { when: 'process' },
    syscall: { unless: 'process' },
    count: {},
    total: {
      when: 'latency',
      header: 'TIME',
      width: 16,
      text: (ns, _, { milliseconds }) => (milliseconds ? `${(ns / 1e6).toFixed(3)} ms` : `${(ns / 1e3).toFixed(3)} us`),
    },
  },
  sort: ['count', 'total', 'syscall', 'pid'],
  usualSort: ({ latency }) => (latency ? 'total' : 'count'),
  absent: ({ latency }) => (latency ? [] : ['total']),
  list: {
    flag: '-l, --list',
    summary: 'list the system calls of this architecture, and do nothing else',
    column: 'syscall',
    values: () => syscallNames(),
  },
  rows: 10,
  attach: { unwanted: ({ latency }) => (latency ? [] : ['sys_enter__tp_btf']) },
  prepare(object, { syscall, latency }) {
    object.globals.set('filter_calls', syscall !== undefined);
    if (!latency) {
      object.map('starts').maxEntries = 1;
    }
  },
  examples: {
    '': 'the ten commonest system calls until Ctrl-C',
    '-i 1': 'each second',
    '-L -p 181': 'the time that process 181 spends in calls',
    '-P -T 5': 'the five processes with the most calls',
    '-x -i 5': 'calls that failed, every 5 seconds',
    '-e ENOENT --syscall openat -P': 'who looks for files that are not there',
  },
  sample: {
    before: 'du adds up the sizes of all files below /usr/include:',
    args: '-L -T 8 -- du -s /usr/include',
    output: `
SYSCALL    COUNT         TIME
getdents64  1650 47765.943 us
newfstatat 10535 14757.082 us
close       1753  1615.541 us
openat       939  1548.355 us
fcntl       2475   890.153 us
execve        15   330.024 us
mmap          21    98.109 us
brk            7    47.270 us`,
    after:
      'Most calls are newfstatat(2), one for each file, but most of the time goes to reading directories: 29 microseconds for each call, where a newfstatat takes 1.4. execve was tried 15 times because the shell looks for du in all of its directories.',
  },
});
