import bpf from '../bpf/runqlat.bpf.ts';
import { filters, flag, histogram, milliseconds, units } from '../lib/tool.ts';

export default histogram(bpf, {
  summary: 'Summarize how long tasks wait for a processor.',
  area: 'processors',
  activity: 'Tracing run queue latency',
  description: `
Measures the time from the moment when a task can run (it is woken, made, or has to leave the processor before it is done) until it runs: from sched:sched_wakeup, sched:sched_wakeup_new or sched:sched_switch to the next sched:sched_switch. Waiting in a queue, moving between processors and being throttled all count. A thread that another one wakes while it is still running has nothing to wait for.

Who is counted is decided by the task that waits, not by the one that wakes it. With --pids or --tids the command is the last one that was seen. Tasks that wait already when the tracing begins are not counted.`,
  overhead: 'About 1 microsecond for each time that a task waits, half of it when it is woken; 2.6 GHz processor.',
  options: {
    ...filters,
    cgroup: { ...filters.cgroup, hidden: ['-c'] },
    pids: flag('-P, --pids', 'each process apart', { set: 'by_pid' }),
    tids: flag('-L, --tids', 'each thread apart', { set: 'by_tid', conflicts: ['pids'] }),
    pidns: flag('--pidns', 'each PID namespace apart', {
      set: 'by_pidns',
      hidden: ['--pidnss'],
      conflicts: ['pids', 'tids'],
    }),
    milliseconds,
  },
  map: 'hists',
  unit: ({ milliseconds }) => (milliseconds ? units.msecs : units.usecs),
  keys: {
    pidns: { when: ['pidns'] },
    pid: { when: ['pids', 'tids'] },
    tid: { when: ['tids'] },
    comm: { when: ['pids', 'tids'] },
  },
  examples: {
    '': 'one distribution until Ctrl-C',
    '1 10': 'a distribution each second, 10 times',
    '-p 181 -m': 'the waits of process 181, in milliseconds',
    '-P 5': 'each process apart, every 5 seconds',
  },
  sample: {
    before: 'Three programs that always have something to do share one processor with the rest of the machine:',
    args: '--comm server -m --duration 3',
    output: `
          msecs           : count    distribution
         0 -> 1          : 360      |****************************************|
         2 -> 3          : 42       |****                                    |
         4 -> 7          : 78       |********                                |
         8 -> 15         : 189      |*********************                   |
        16 -> 31         : 156      |*****************                       |
        32 -> 63         : 34       |***                                     |
        64 -> 127        : 3        |                                        |`,
    after:
      'Waits of 8 to 31 milliseconds are those for the turns of the others: the processor has too much to do. The short ones are interruptions by what came and went. runqslower -P shows single waits and who ran meanwhile, cpuunclaimed whether other processors could have helped.',
  },
});
