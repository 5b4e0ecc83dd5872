import bpf from '../bpf/funcslower.bpf.ts';
import {
  atCallPoints,
  atLeastMicroseconds,
  atLeastMilliseconds,
  callPointName,
  callPointsOptions,
  callPointWarnings,
  filters,
  flag,
  integer,
  lettered,
  snoop,
} from '../lib/tool.ts';

export default snoop(bpf, {
  summary: 'Trace calls of functions that take long.',
  area: 'probes',
  activity: 'Tracing slow calls of functions',
  description: `
Prints a line for each call of a function, of the kernel or of a program or library, that takes longer than a threshold, when it returns: with the time from its entry to its return, what it returned and, with --arguments, the registers of its first arguments, in hexadecimal. What the function waits for is part of the time, and so are the functions that it calls.

Patterns are those of funclatency, which says how functions are hooked and which cannot be. Each call has its own start, also when functions call each other or themselves. What a function without a result seems to return is what was left in the register.

Stacks are those at the entry, and begin at the function. User stacks are followed by frame pointers: code compiled without them shows short or wrong stacks. Kernels before 6.11 show [uprobes] for calls under way whose return is hooked, which are put right as far as there are no more than 15. On arm64 the caller of the function may be missing.`,
  overhead:
    'That of funclatency: a read of one byte took 2 times as long in an emulated machine, with fentry and fexit on its function, and a function of a program meets two breakpoints, 37 µs on a virtual machine where they are dear, and 3.7 µs more. Stacks and lines come on top.',
  options: {
    minimum: {
      ...atLeastMilliseconds('-m, --min-ms <MS>', 'calls that took', 'min_latency', { usual: 1 }),
      conflicts: ['minimumMicros'],
    },
    minimumMicros: atLeastMicroseconds('-u, --min-us <US>', 'calls that took', 'min_latency'),
    arguments: integer('-a, --arguments <COUNT>', 'show this many arguments, up to 6', {
      group: 'column',
      set: 'argument_count',
      min: 1,
      max: 6,
    }),
    userStacks: flag('-U, --user-stack', 'show the user stack', { set: 'user_stacks', group: 'column' }),
    kernelStacks: flag('-K, --kernel-stack', 'show the kernel stack', { set: 'kernel_stacks', group: 'column' }),
    ...callPointsOptions,
    ...filters,
    uid: lettered(filters.uid),
  },
  meanings: {
    result: 'what the function returned',
    point: 'what stands for the function in this run, such as its address',
  },
  computed: {
    func: {
      type: 'text_t',
      help: 'name of the function',
      value: ({ point }, values) => callPointName(point, values),
    },
  },
  columns: {
    time: { flag: '-T, --timestamp' },
    comm: {},
    pid: {},
    latency: {
      header: ({ minimumMicros }) => (minimumMicros === undefined ? 'LAT(ms)' : 'LAT(us)'),
      text: (ns, _, { minimumMicros }) => (ns / (minimumMicros === undefined ? 1e6 : 1e3)).toFixed(2),
    },
    result: { header: 'RVAL', width: 16, align: 'right', text: (result) => String(result).replace(/^0x0*(?=.)/, '') },
    func: {},
    arguments: {
      when: 'arguments',
      header: 'ARGS',
      text: (all, _, { arguments: count }) => all.slice(0, count).join(' '),
    },
  },
  stacks: {
    table: 'stacks',
    kernel: 'kernel',
    user: 'user',
    process: 'pid',
    hooked: { caller: 'caller', returns: 'returns' },
    when: ['userStacks', 'kernelStacks'],
    folded: 'comm',
  },
  attach: atCallPoints,
  warnings: callPointWarnings,
  examples: {
    'c:getaddrinfo': 'lookups of hosts that take 1 ms or more',
    '-m 10 vfs_read vfs_write': 'reads and writes of 10 ms or more',
    '-u 100 -a 3 -p 181 c:write': 'writes of process 181 that take 100 µs or more, with three arguments',
    "-U -m 5 '/usr/bin/node:uv_*'": 'functions of a program that take 5 ms or more, with stacks',
  },
  sample: {
    before:
      'A server handles 20 requests, of which each tenth takes long; its function gets the number of milliseconds:',
    args: '-p 24775 -m 10 -a 1 :handle_request',
    output: `
COMM                 PID  LAT(ms)             RVAL FUNC                     ARGS
server             24775    25.12               19 handle_request           0x19
server             24775    25.10               19 handle_request           0x19`,
    after:
      'Two calls took more than 10 milliseconds, both with 0x19, which is 25, as their first argument, and both returned that. The other 18 calls cost no line.',
  },
});
