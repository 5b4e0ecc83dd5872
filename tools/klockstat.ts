import bpf from '../bpf/klockstat.bpf.ts';
import {
  accepted,
  durationOption,
  filters,
  flag,
  integer,
  kernelFunction,
  lockFunctions,
  seconds,
  text,
  top,
} from '../lib/tool.ts';

/** LCB_F_* of the kernel. */
const SPIN = 1;
const READ = 2;
const WRITE = 4;
const RT = 8;
const PERCPU = 16;
const MUTEX = 32;

export default top(bpf, {
  summary: 'Summarize waits for locks of the kernel, and who wants them.',
  area: 'kernel',
  activity: 'Tracing contention of kernel locks',
  description: `
Measures the time from the moment when a thread begins to wait for a lock of the kernel that somebody else holds (lock:contention_begin) until it has it or gives up (lock:contention_end): mutexes, semaphores, spinlocks, and locks for readers and writers. There is a line for each function that wants a lock and each kind of lock. MAX is the longest wait since the start of the run.

A lock that is free costs nothing and is not seen, and how long locks are held is not measured: both would need hooks at every lock that is taken. A spinlock's time is the time of a processor. The tracepoints came with Linux 5.19; without them the tool does not run. With --per-lock each lock is apart, by its address.`,
  overhead:
    'About 13 µs for each wait for a lock, most of it for the stack that tells who waits (measured on a busy 2-core virtual machine): it makes short waits for spinlocks longer. Nothing for locks that are free.',
  options: {
    ...filters,
    lock: text('-L, --lock <ADDRESS>', 'only the lock at this address, hexadecimal', {
      set: 'filter_lock',
      group: 'filter',
      encode: (address) => BigInt(/^0x/i.test(address) ? address : `0x${address}`),
    }),
    caller: text('-c, --caller <PREFIX>', 'only functions whose name begins with PREFIX', { group: 'filter' }),
    threads: flag('-P, --per-thread', 'each thread apart', { set: 'by_thread' }),
    locks: flag('--per-lock', 'each lock apart', { set: 'by_lock' }),
    interval: seconds('-i, --interval <SECONDS>', 'seconds between outputs; otherwise once, at the end'),
    duration: durationOption,
    rows: integer('-n, --locks <COUNT>', 'print at most this many rows; usually all', {
      min: 1,
      hidden: ['-r', '--rows'],
      group: 'output',
    }),
    reset: accepted('-R, --reset'),
    stacks: accepted('--stacks <COUNT>'),
    stackTable: accepted('--stack-storage-size <COUNT>'),
  },
  map: 'waits',
  meanings: {
    lock: 'address of the lock',
    count: 'how often somebody waited',
    address: 'address of the function that wants the lock',
    flags: 'kind of lock and what it is wanted for, in bits of the kernel',
  },
  computed: {
    caller: { type: 'text_t', help: 'function that wants the lock', value: ({ address: at }) => kernelFunction(at) },
    kind: { type: 'text_t', help: 'kind of lock, and what it is wanted for', value: ({ flags }) => kindOf(flags) },
    average: {
      type: 'ns_t',
      help: 'average wait in nanoseconds',
      value: ({ total, count }) => Math.round(total / count),
    },
  },
  keep: ({ address: at }, { caller }) => caller === undefined || kernelFunction(at).startsWith(caller),
  columns: {
    tid: { when: 'threads' },
    comm: { when: 'threads' },
    caller: { width: 32 },
    kind: { header: 'TYPE', width: 10 },
    lock: { when: 'locks' },
    average: { header: 'AVG WAIT', width: 9 },
    count: {},
    max: { header: 'MAX WAIT', width: 9 },
    total: { header: 'TOTAL WAIT', width: 10 },
  },
  sort: ['total', 'count', 'average', 'max'],
  sortAliases: { acq_total: 'total', acq_count: 'count', acq_max: 'max' },
  absent: ({ threads, locks }) => [
    ...(threads ? [] : (['pid', 'tid', 'comm'] as const)),
    ...(locks ? [] : (['lock'] as const)),
  ],
  prepare: (object) => object.globals.set('lock_functions', lockFunctions()),
  examples: {
    '': 'add up until Ctrl-C',
    '1 10': 'the waits of each second, 10 times',
    '-p 181 --per-lock -s max': 'the locks that process 181 waits for longest',
    '-c do_unlinkat -P': 'which threads wait for locks in unlink(2)',
  },
  sample: {
    before: 'Four processes make, rename and remove files in one directory:',
    args: '--comm renamer --duration 2',
    output: `
CALLER                     TYPE     AVG WAIT COUNT MAX WAIT TOTAL WAIT
do_renameat2               rwsem:W    13.1ms    24   41.4ms      313ms
do_unlinkat                rwsem:W    26.1ms     6   48.1ms      156ms
path_openat                rwsem:W    32.2ms     3   71.2ms     96.6ms
try_to_wake_up             spinlock   1.58us    12   2.17us     19.0us
exit_to_user_mode_loop     spinlock   1.16us     8   2.46us     9.31us`,
    after:
      'The lock is that of the directory: unlink, rename and the making of a file want it for themselves, and waited for it for 0.57 seconds in all, of the eight that four processes have in two. The spinlocks do not matter. Files in more directories would not wait for each other.',
  },
});

function kindOf(flags: number): string {
  const rights = flags & READ ? ':R' : flags & WRITE ? ':W' : '';
  const kind =
    flags & MUTEX
      ? 'mutex'
      : flags & PERCPU
        ? 'pcpu-sem'
        : flags & RT
          ? rights === ''
            ? 'rt-mutex'
            : 'rwlock-rt'
          : flags & SPIN
            ? rights === ''
              ? 'spinlock'
              : 'rwlock'
            : rights === ''
              ? 'semaphore'
              : 'rwsem';
  return kind + rights;
}
