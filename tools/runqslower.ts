import bpf from '../bpf/runqslower.bpf.ts';
import { filters, flag, integer, snoop } from '../lib/tool.ts';

export default snoop(bpf, {
  summary: 'Trace tasks that wait long for a processor.',
  area: 'processors',
  activity: 'Tracing long waits for a processor',
  description: `
Prints a line each time that a task gets a processor after it has waited for it, from the moment when it could run, for at least 10000 microseconds, or as many as are given. The wait begins when the task is woken (sched:sched_wakeup), made (sched:sched_wakeup_new), or has to leave the processor before it is done, and ends when it runs (sched:sched_switch); the line has the processor, and with --previous the task that ran there before.

Waiting in a queue, moving between processors and being throttled all count. Who is shown is decided by the task that waits. Tasks that wait already when the tracing begins, and those that still wait when it ends, are not shown.`,
  overhead:
    'About 1.5 µs for each time that a task waits, long or not: 0.5 µs when it is woken and 0.6 µs for each switch (measured on a busy 2-core virtual machine).',
  options: {
    ...filters,
    comm: { ...filters.comm, hidden: ['-c'] },
    minimum: integer('[min_us]', 'only waits that took at least this many microseconds; usually 10000', {
      set: 'min_wait',
    }),
    previous: flag('-P, --previous', 'show the task that had the processor before', { group: 'column' }),
  },
  meanings: {
    prev_pid: 'process id of what ran there before',
    prev_tid: 'thread id of what ran there before',
    prev_comm: 'command name of what ran there before',
  },
  columns: {
    time: {},
    comm: {},
    tid: {},
    latency: { header: 'LAT(us)', width: 10, text: (latency) => String(Math.floor(latency / 1000)) },
    prev_comm: { header: 'PREV COMM', when: 'previous' },
    prev_tid: { header: 'PREV TID', width: 8, when: 'previous' },
  },
  examples: {
    '': 'trace waits of 10 milliseconds and more',
    '1000 -P': 'trace waits of a millisecond and more, with what ran meanwhile',
    '-p 181 500': 'trace the waits of process 181 of half a millisecond and more',
  },
  sample: {
    before: 'gzip compresses without end on a machine with other work to do:',
    args: '-p 27570 5000 -P --duration 2',
    output: `
TIME     COMM                 TID        LAT(us) PREV COMM        PREV TID
20:52:30 gzip               27570          35999 python3             27639
20:52:30 gzip               27570          11177 qemu-system-x86     17048
20:52:30 gzip               27570           6905 qemu-system-x86     17048
20:52:30 gzip               27570           5318 python3             27639
20:52:30 gzip               27570           8459 ksoftirqd/0            14
20:52:30 gzip               27570          60021 qemu-system-x86     17048`,
    after:
      'Each line is a time in which gzip could have run and did not. Most often an emulator had the processor before, twice an interpreter; ksoftirqd is work for interrupts. The wait of 60 ms was longer than one turn of another: several must have had one.',
  },
});
