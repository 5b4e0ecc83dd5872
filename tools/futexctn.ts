import bpf from '../bpf/futexctn.bpf.ts';
import { filters, flag, histogram, text, units } from '../lib/tool.ts';

export default histogram(bpf, {
  summary: 'Summarize waits for locks of user space, by lock and stack.',
  area: 'programs',
  activity: 'Tracing waits of futex(2)',
  description: `
Measures how long futex(2) takes when it waits for another thread: for a lock (FUTEX_WAIT, FUTEX_LOCK_PI, FUTEX_LOCK_PI2) or a condition (FUTEX_WAIT_BITSET, FUTEX_WAIT_REQUEUE_PI). There is a distribution for each address and each user stack that waited there; with --summary one for each process. A lock that is free is taken without the kernel and not seen.

Waits that ended without being woken, because the value had changed already, because of a signal or a timeout, do not count. Threads that wait for work wait for a condition: long waits there are no contention. Locks are told apart by the process and their address in it. futex_wait(2) and futex_waitv(2) are not seen. Names come from the process at the end of the interval: one that is over has only addresses. User stacks are followed by frame pointers.`,
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
    summary: flag('-s, --summary', 'only processes: no locks and no stacks', { set: 'summary' }),
    milliseconds: flag('-m, --milliseconds', 'print times in milliseconds'),
  },
  map: 'hists',
  unit: ({ milliseconds }) => (milliseconds ? units.msecs : units.usecs),
  keys: { pid: {}, tid: { when: ['tids'] }, comm: {}, lock: { unless: 'summary' } },
  userStack: { id: 'stack', process: 'pid', table: 'stacks' },
  examples: {
    '': 'all locks until Ctrl-C',
    '-p 181 -e 5': 'the locks of process 181 with averages, every 5 seconds',
    '-s 1 10': 'which processes wait for locks, each second, 10 times',
  },
});
