import bpf from '../bpf/deadlock.bpf.ts';
import {
  atFunctions,
  filters,
  flag,
  integer,
  LockOrder,
  lettered,
  list,
  snoop,
  stackTableSize,
  text,
} from '../lib/tool.ts';

const locks = ['pthread_mutex_lock'];
const unlocks = ['pthread_mutex_unlock'];

const room = { min: 1, max: 2 ** 24, group: 'common' } as const;

const library = {
  file: /^(libc\.so\.6|libpthread\.so\.0|libpthread-2\.\d+\.so|ld-musl-.*\.so\.1|libc\.musl-.*\.so\.1)$/,
  what: 'C library',
  inProcess: true,
};
const tries = {
  ...library,
  functions: ['pthread_mutex_trylock', 'pthread_mutex_timedlock', 'pthread_mutex_clocklock'],
  optional: true,
};

export default snoop(bpf, {
  summary: 'Find mutexes of a process that are taken in contradicting orders.',
  area: 'programs',
  activity: 'Watching the order of mutexes',
  description: `
Two threads of which each waits for a mutex that the other one holds will wait for ever. That may be rare, but that they take them in different orders can be seen long before. This tool follows which mutexes each thread holds when it asks for another one (pthread_mutex_lock), and prints the orders that contradict each other as soon as they have been seen, one line for each thread that took part: all lines of a cycle have the same number, and each wants what is held in the next one, the last one what is held in the first. Below each line is the stack on which the mutex was wanted. Each cycle is printed once.

It may be a false alarm: when another mutex, or the way the program works, keeps the threads from meeting. A mutex that was got by pthread_mutex_trylock, timedlock or clocklock is held like any other, but waiting for it is not counted. A mutex that is destroyed is forgotten; one whose memory is given back without that may be taken for another one that comes to lie in its place. Of more than 16 mutexes that a thread holds at once the others are lost, which is told. Locks of other kinds, such as those of C++ that do not end in these functions, of Go and Rust, are not seen, and neither are functions in static binaries without --binary; --lock-symbols and --unlock-symbols name functions that take the mutex as their first argument.

Stacks are followed by frame pointers: code compiled without them shows short or wrong ones.`,
  overhead:
    'Two breakpoints for each mutex that is taken and given back: 18 µs together (measured on a busy 2-core virtual machine, where breakpoints are dear), where it otherwise takes less than 0.1. Without --pid, all processes have to bear that.',
  options: {
    ...filters,
    pid: { ...filters.pid, place: '[pid]' },
    // Its letter is that of --threads here.
    tid: lettered(filters.tid),
    threads: integer('-t, --threads <COUNT>', 'number of threads that can hold mutexes at once; usually 16384', room),
    edges: integer('-e, --edges <COUNT>', 'number of different orders that can be kept; usually 65536', room),
    tableSize: { ...stackTableSize, hidden: ['-s', '--stacktraces'] },
    file: text('-b, --binary <FILE>', 'the library or program that has the functions', { completes: 'file' }),
    lockSymbols: list('--lock-symbols <NAMES>', 'functions that take a mutex', String),
    unlockSymbols: list('--unlock-symbols <NAMES>', 'functions that give a mutex back', String),
    all: flag('-a, --all', 'also orders that do not contradict each other'),
  },
  prepare(object, { threads = 16384, edges = 65536 }) {
    object.map('held').maxEntries = threads;
    object.map('edges').maxEntries = edges;
  },
  select(object, { all }) {
    const edges = object.map<{ held: bigint; wanted: bigint; pid: number; zero: number }, number>('edges');
    const order = new LockOrder<{ readonly pid: number; readonly held: string; readonly wanted: string }>();
    let cycles = 0;
    return (events) =>
      events.flatMap((event) => {
        if (event.kind === 'destroyed') {
          for (const { pid, held, wanted } of order.forget(event.pid, event.held)) {
            // So that the program tells of them again.
            edges.delete({ held: BigInt(held), wanted: BigInt(wanted), pid, zero: 0 });
          }
          return [];
        }
        const cycle = order.add(event) as (typeof event)[] | undefined;
        cycles += cycle === undefined ? 0 : 1;
        return [...(all ? [{ ...event }] : []), ...(cycle ?? []).map((edge) => ({ ...edge, cycle: cycles }))];
      });
  },
  meanings: {
    cycle: 'number of the cycle of which the line is part',
    held: 'address of the mutex that was held',
    wanted: 'address of the mutex that was wanted',
  },
  columns: {
    time: {},
    cycle: { width: 5 },
    pid: {},
    tid: {},
    comm: {},
    held: {},
    wanted: {},
  },
  stacks: { table: 'stacks', user: 'stack', process: 'pid' },
  attach: {
    by: {
      lock_begins: atFunctions({
        ...library,
        functions: ({ lockSymbols = locks }: { readonly lockSymbols?: readonly string[] }) => [...lockSymbols],
      }),
      unlock_begins: atFunctions({
        ...library,
        functions: ({ unlockSymbols = unlocks }: { readonly unlockSymbols?: readonly string[] }) => [...unlockSymbols],
      }),
      try_begins: atFunctions(tries),
      try_ends: atFunctions({ ...tries, return: true }),
      destroy_begins: atFunctions({ ...library, functions: ['pthread_mutex_destroy'], optional: true }),
    },
  },
  examples: {
    '': 'watch all processes',
    '-p 181': 'watch process 181',
    '-p 181 --binary /opt/server': 'the functions are in the binary itself',
    '-a -p 181 --json': 'all orders, for another program',
  },
  sample: {
    before: 'One thread of a server locks two mutexes, and when it is done another one locks them the other way round:',
    args: '-p 24775',
    output: `
TIME     CYCLE     PID     TID COMM             HELD               WANTED
20:52:14     1   24775   25165 server           0x55bc00cc10a0     0x55bc00cc10e0
    __pthread_mutex_lock
    second
    [libc.so.6+0x891f5]
20:52:14     1   24775   25164 server           0x55bc00cc10e0     0x55bc00cc10a0
    __pthread_mutex_lock
    first
    [libc.so.6+0x891f5]`,
    after:
      'Nothing was blocked this time, for the first thread had ended. Had both run at once, each could hold what the other wants: in first() and second(), or in what they call, the order must be the same.',
  },
});
