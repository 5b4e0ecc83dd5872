import bpf from '../bpf/stackcount.bpf.ts';
import {
  atProbePoints,
  commonOptions,
  cpuFilter,
  filters,
  flag,
  lettered,
  probePointOptions,
  probePointWarnings,
  seconds,
  stackSideOptions,
  stacks,
} from '../lib/tool.ts';

export default stacks(bpf, {
  summary: 'Count the stacks that lead to functions and events.',
  area: 'probes',
  activity: 'Counting stacks',
  description: `
Takes the kernel and user stack each time that a function is called, a tracepoint is passed or a statically defined probe (USDT) is met, counts equal stacks of a process in the kernel, and prints them at the end, or at each interval. With --kernel-stacks-only, those of all processes count together unless --perpid is given. The patterns are those of funccount.

User stacks are followed by frame pointers: those of programs compiled without them are short or wrong, and the end of the output says what share was cut. A process that lives for less than a quarter of a second may have no names.`,
  overhead:
    'About 1 µs for each kernel stack and as much for each user stack (measured on a busy 2-core virtual machine), and what the hook itself costs: 1.5 µs for a function of a program.',
  options: {
    ...probePointOptions,
    ...filters,
    cpu: cpuFilter,
    ...stackSideOptions,
    processes: flag('-P, --perpid', 'each process apart, as always where there are user stacks', {
      set: 'per_process',
    }),
    interval: seconds('-i, --interval <SECONDS>', 'seconds between outputs; otherwise once, at the end'),
    timestamp: flag('-T, --timestamp', 'print the time with each output', { group: 'output' }),
    duration: lettered(commonOptions.duration, 'D'),
    verbose: { ...commonOptions.verbose, hidden: ['--debug'] },
  },
  map: 'counts',
  table: 'stacks',
  kernel: 'kernel',
  user: 'user',
  process: 'pid',
  weight: 'count',
  unit: 'calls',
  attach: atProbePoints,
  warnings: probePointWarnings,
  examples: {
    't:block:block_rq_issue': 'what leads to requests of block devices, until Ctrl-C',
    '-U -p 181 c:malloc': 'the functions of process 181 that allocate',
    "-K -D 10 'tcp_send*'": 'kernel stacks to functions that begin with tcp_send, for 10 seconds',
  },
  sample: {
    before: 'A server saves its log 12 times and its configuration 5 times; both end in a function of it, commit():',
    args: '-p 29637 :commit',
    output: `
    commit
    save_config
    main
    [libc.so.6+0x2724a]
    -                server (29637)
        5

    commit
    save_log
    main
    [libc.so.6+0x2724a]
    -                server (29637)
        12`,
    after:
      'The heaviest stack comes last: save_log called commit 12 times. The server was compiled with frame pointers, without which callers are missing.',
  },
});
