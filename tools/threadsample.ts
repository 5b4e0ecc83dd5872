import bpf from '../bpf/threadsample.bpf.ts';
import {
  accepted,
  filters,
  flag,
  integer,
  kernelFunction,
  lockFunctions,
  parseInteger,
  snapshot,
  syscallNumbers,
} from '../lib/tool.ts';

const NOWHERE = '0x0';
const CALLS = 512;

/** Calls whose first argument is the descriptor of what they read, write or wait for. */
const descriptorCalls = [
  ...['read', 'readv', 'pread64', 'preadv', 'preadv2', 'write', 'writev', 'pwrite64', 'pwritev', 'pwritev2'],
  ...['recvfrom', 'recvmsg', 'recvmmsg', 'sendto', 'sendmsg', 'sendmmsg', 'accept', 'accept4', 'connect', 'splice'],
  ...['epoll_wait', 'epoll_pwait', 'epoll_pwait2', 'io_uring_enter', 'fsync', 'fdatasync', 'syncfs', 'fallocate'],
  ...['sync_file_range', 'ftruncate', 'flock', 'fcntl', 'ioctl', 'getdents', 'getdents64', 'close', 'sendfile'],
];

export default snapshot(bpf, {
  summary: 'Sample the state, call and kernel stack of all threads.',
  area: 'processes',
  activity: 'Sampling threads',
  description: `
Prints a line for each thread that is active: that runs (RUN), waits for a processor (RUNQ), or waits without being interruptible, mostly for a device (DISK). With --all also those that sleep or are stopped, and with --kernel threads of the kernel, of which those without work are IDLE. With an interval the sample is taken again each time: what is there often is what takes the time.

SYSCALL is the system call that a thread is in, and FUNCTION the function of the kernel that waits there: the innermost that is not itself one for waiting or locking. Of a thread that runs both are unknown, since it does not stand still. A thread that waits for a processor may be in no system call. Nothing is hooked: threads do not notice being looked at. The kernel lists one thread after the other, not all at one moment.

With --wide the paths of the binary and of the file behind the descriptor that the call works on are shown as the tool itself sees them; what is in no directory has the name of its kind. Stacks of programs, and how long a call has taken, are not told: offcputime and syscount -L do.`,
  overhead:
    'Nothing but the time of each sample: about 3 µs for each thread in the kernel (measured on a busy 2-core virtual machine).',
  options: {
    ...filters,
    all: flag('-a, --all', 'also threads that sleep or are stopped', { set: 'with_sleeping' }),
    kernel: flag('-k, --kernel', 'also threads of the kernel', { set: 'with_kernel' }),
    stacks: flag('-s, --stacks', 'show the kernel stack, the innermost function first', {
      group: 'column',
      hidden: ['--print-stacks', '--kernel-stacks'],
    }),
    wide: flag('-w, --wide', 'show the binary, the file that the call works on, and the cgroup', {
      set: 'with_paths',
      group: 'column',
      hidden: ['--wide-output'],
    }),
    interval: {
      ...integer('-F, --freq <HERTZ>', 'samples a second, instead of an interval', { min: 1, max: 1000 }),
      parse: (given: string) => 1 / parseInteger(given, 1, 1000),
    },
    intervals: integer('-i, --iterations <COUNT>', 'number of samples', { min: 1 }),
    narrow: accepted('-n, --narrow-output'),
    passive: accepted('-P, --passive'),
  },
  rows: (records) => records,
  computed: {
    function: {
      type: 'maybe_text_t',
      help: 'function of the kernel that waits',
      value: ({ address }) => (address === NOWHERE ? undefined : kernelFunction(address)),
    },
    trace: {
      type: 'maybe_text_t',
      help: 'functions of the kernel, the innermost first',
      value: ({ frames }) => named(frames) || undefined,
    },
  },
  meanings: {
    exe: 'file of the program, where it is told',
    address: 'where in the kernel it waits; 0: it does not',
  },
  columns: {
    tid: {},
    pid: {},
    uid: { flag: '-U, --print-uid' },
    comm: {},
    state: { width: 6 },
    syscall: { width: 18 },
    function: { width: 24 },
    exe: { width: 20, when: 'wide' },
    file: { width: 20, when: 'wide' },
    cgroup: { when: 'wide' },
    trace: { header: 'STACK', when: 'stacks' },
  },
  prepare: (object) => {
    const bits = new BigUint64Array(CALLS / 64);
    for (const number of descriptorCalls.flatMap((name) => syscallNumbers(name)).filter((number) => number < CALLS)) {
      bits[number >> 6] = (bits[number >> 6] ?? 0n) | (1n << BigInt(number & 63));
    }
    object.globals.set('descriptor_calls', [...bits]);
    object.globals.set('lock_functions', lockFunctions());
  },
  examples: {
    '': 'the threads that are active now',
    '1 10': 'a sample each second, 10 times',
    '-w -F 20': '20 samples a second, with the files that calls work on',
    '-a -s -p 181': 'where each thread of process 181 is, with its kernel stack',
  },
  sample: {
    before: 'A program has three threads besides its main one: one computes, one sleeps, and one reads from a pipe:',
    args: '-a -p 24304',
    output: `
  TID   PID COMM    STATE SYSCALL         FUNCTION
24304 24304 python3 SLEEP clock_nanosleep hrtimer_nanosleep
24305 24304 python3 RUNQ  -               irqentry_exit_to_user_mode
24306 24304 python3 SLEEP clock_nanosleep hrtimer_nanosleep
24310 24304 python3 SLEEP read            anon_pipe_read`,
    after:
      'Only thread 24305 has something to do, and waits in the queue of a processor to go on with it: without -a it would be the only line. The others say what they wait for by their system call and the function in which they sleep.',
  },
});

function named(frames: readonly string[]): string {
  return frames
    .filter((address) => address !== NOWHERE)
    .map(kernelFunction)
    .join(' < ');
}
