import bpf from '../bpf/funclatency.bpf.ts';
import {
  atCallPoints,
  callPointName,
  callPointOptions,
  callPointWarnings,
  durationOption,
  filters,
  flag,
  histogram,
  integer,
  lettered,
  microseconds,
  milliseconds,
  seconds,
  units,
} from '../lib/tool.ts';

export default histogram(bpf, {
  summary: 'Summarize how long calls of functions take.',
  area: 'probes',
  activity: 'Measuring calls of functions',
  description: `
Measures the time from the entry of a function to its return, of the kernel, or of a program or library, and prints its distribution. What the function waits for is part of it, and so are the functions that it calls.

A pattern is a function of the kernel (vfs_read) or of a library or program (c:malloc, /usr/bin/node:uv__*); * stands for any letters and ? for one. A library without a path is that of all processes, those of containers included, or with --pid the one that the process uses; ':name' with --pid is a function of its program. Functions whose code the compiler put into their callers are not called, and not measured. A name that several functions of the kernel share stands for all of them.

Each call has its own start, also when functions call each other or themselves: nested calls all count, each with its whole time. --level counts the outermost ones only. A call that is under way when the tracing begins is not counted, nor is one that ends by an exception or longjmp.

One function of the kernel is hooked by fentry and fexit where that is possible, several all at once by kprobe.multi (5.18); functions of programs are hooked all at once by uprobe.multi (6.6, with --pid 6.12). Elsewhere they are hooked one by one, at most 1000. Functions that never return, and those of programs that return in unusual ways (setjmp, vfork), cannot be traced. The return of functions in Go cannot be hooked without crashing the program sooner or later: such programs are refused. Unwinding a stack with hooked returns fails: a C++ exception that passes one ends the program.`,
  overhead:
    'A read of one byte took 2 times as long with fentry and fexit on the function, and 15 times with kprobes, in an emulated machine of which nanoseconds would say nothing; kprobe.multi was not measured. A function of a program meets two breakpoints, 37 µs on a virtual machine where they are dear, and 1.7 µs more; bpftrace takes 5 µs more.',
  options: {
    ...callPointOptions,
    ...filters,
    uid: lettered(filters.uid),
    cgroup: lettered(filters.cgroup, 'c'),
    microseconds: { ...microseconds, conflicts: ['milliseconds'] },
    milliseconds,
    functions: flag('-F, --function', 'each function apart', { set: 'by_function' }),
    processes: flag('-P, --per-process', 'each process apart', { set: 'by_process' }),
    level: integer('-l, --level <LEVEL>', 'only calls nested this deep among those traced; 1: outermost', {
      group: 'filter',
      set: 'call_level',
      min: 1,
      max: 16,
    }),
    interval: seconds('-i, --interval <SECONDS>', 'seconds between outputs; otherwise once, at the end'),
    duration: durationOption,
  },
  map: 'hists',
  detailed: true,
  unit: ({ microseconds, milliseconds }) => (milliseconds ? units.msecs : microseconds ? units.usecs : units.nsecs),
  keys: { func: { when: ['functions'], header: 'Function' }, pid: { when: ['processes'] } },
  computed: {
    func: {
      type: 'text_t',
      help: 'name of the function',
      value: ({ place }, values) => callPointName(place, values),
    },
  },
  attach: atCallPoints,
  warnings: callPointWarnings,
  examples: {
    'c:getaddrinfo': 'how long programs wait for names of hosts',
    vfs_read: 'reads of files, in nanoseconds',
    "-uF 'vfs_*'": 'each function of the virtual file system, in microseconds',
    '-p 181 -i 1 c:malloc': 'what process 181 allocates, each second',
    "-r '^tcp_(send|recv)msg$' -l 1": 'two functions; calls within one of them do not count again',
  },
  sample: {
    before: 'A server calls fdatasync(2) 17 times:',
    args: '-p 24775 -u c:fdatasync',
    output: `
          usecs           : count    distribution
       128 -> 255        : 2        |********                                |
       256 -> 511        : 0        |                                        |
       512 -> 1023       : 0        |                                        |
      1024 -> 2047       : 4        |****************                        |
      2048 -> 4095       : 10       |****************************************|
      4096 -> 8191       : 1        |****                                    |

avg = 2911 usecs, total: 49486 usecs, count: 17, p50 = 2560, p90 = 3953, p99 = 7496`,
    after:
      'Most calls wait 2 to 4 milliseconds for the disk; two had nothing to write. The server spent 49 milliseconds in them. Empty rows above were left out.',
  },
});
