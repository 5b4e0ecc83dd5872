import bpf from '../bpf/futexctn.bpf.ts';
import { filters, flag, histogram, milliseconds, text, units } from '../lib/tool.ts';

export default histogram(bpf, {
  summary: 'Summarize waits for locks of user space, by lock and stack.',
  area: 'programs',
  activity: 'Tracing waits of futex(2)',
  description: `
Measures how long futex(2) takes when it waits for another thread: for a lock (FUTEX_WAIT, FUTEX_LOCK_PI, FUTEX_LOCK_PI2) or a condition (FUTEX_WAIT_BITSET, FUTEX_WAIT_REQUEUE_PI). So does futex_wait(2), and futex_waitv(2), which waits for several and counts for the one that ended it. There is a distribution for each address and each user stack that waited there; with --summary one for each process. A lock that is free is taken without the kernel and not seen.

Waits that ended without being woken, because the value had changed already, because of a signal or a timeout, do not count. Threads that wait for work wait for a condition: long waits there are no contention. Locks are told apart by the process and their address in it. Names come from the process at the end of the interval: one that is over has only addresses. User stacks are followed by frame pointers.`,
  overhead:
    'About 1 µs for each call of futex(2) (measured on a busy 2-core virtual machine), where waiting itself takes 5 µs or more.',
  options: {
    ...filters,
    lock: text('-l, --lock <ADDRESS>', 'only the lock at this address, hexadecimal', {
      set: 'filter_lock',
      group: 'filter',
      encode: (address) => BigInt(/^0x/i.test(address) ? address : `0x${address}`),
    }),
    tids: flag('-L, --tids', 'each thread apart', { set: 'by_tid' }),
    summary: flag('-s, --summary', 'each process apart, without locks and stacks', { set: 'summary' }),
    milliseconds,
  },
  map: 'hists',
  attach: {
    optional: ['futex_wait_enter__tp', 'futex_wait_exit__tp', 'futex_waitv_enter__tp', 'futex_waitv_exit__tp'],
  },
  unit: ({ milliseconds }) => (milliseconds ? units.msecs : units.usecs),
  meanings: {
    lock: 'address of the lock in its process',
  },
  keys: { pid: {}, tid: { when: ['tids'] }, comm: {}, lock: { unless: 'summary' } },
  userStack: { id: 'stack', process: 'pid', table: 'stacks' },
  examples: {
    '': 'all locks until Ctrl-C',
    '-p 181 -e 5': 'the locks of process 181 with averages, every 5 seconds',
    '-s 1 10': 'which processes wait for locks, each second, 10 times',
  },
  sample: {
    before: 'Two threads of a server take turns with a mutex, which each holds for two milliseconds, 20 times:',
    args: '-p 24775',
    output: `
pid = 24775
comm = server
lock = 0x55bc00cc10e0
    [libc.so.6+0x8612b]
    [libc.so.6+0x891f5]
          usecs           : count    distribution
       512 -> 1023       : 1        |*                                       |
      1024 -> 2047       : 26       |****************************************|
      2048 -> 4095       : 5        |*******                                 |
      4096 -> 8191       : 2        |***                                     |
      8192 -> 16383      : 1        |*                                       |`,
    after:
      'Threads waited 35 times for this lock, mostly as long as the other one holds it. Empty rows, and locks on which was waited only once, were left out. C libraries without frame pointers hide who locked.',
  },
});
