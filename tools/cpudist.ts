import bpf from '../bpf/cpudist.bpf.ts';
import { filters, flag, histogram, milliseconds, units } from '../lib/tool.ts';

export default histogram(bpf, {
  summary: 'Summarize how long tasks run at a time, or are off the processor.',
  area: 'processors',
  activity: 'Tracing the time of tasks on and off the processor',
  description: `
Measures, at each sched:sched_switch, how long the task that leaves the processor has run, however it ends: because it sleeps, waits, has to make room or exits. With --offcpu it measures how long the task that comes has been away, sleeping or waiting for its turn.

What a task has begun before the tracing begins, and what it has not ended when the tracing ends, is not counted. Interrupts that come while a task runs count as its time. With --pids or --tids the command is the last one that was seen.`,
  overhead:
    'About 0.25 µs for each switch of tasks, 0.6 µs with --offcpu (run time of the programs on a busy 2-core virtual machine).',
  options: {
    ...filters,
    cgroup: { ...filters.cgroup, hidden: ['-c'] },
    offcpu: flag('-O, --offcpu', 'measure the time off the processor', { set: 'off_cpu' }),
    pids: flag('-P, --pids', 'each process apart', { set: 'by_pid' }),
    tids: flag('-L, --tids', 'each thread apart', { set: 'by_tid', conflicts: ['pids'] }),
    includeIdle: flag('-I, --include-idle', 'also the idle threads', { set: 'include_idle' }),
    milliseconds,
  },
  map: 'hists',
  unit: ({ milliseconds }) => (milliseconds ? units.msecs : units.usecs),
  keys: { pid: { when: ['pids', 'tids'] }, tid: { when: ['tids'] }, comm: { when: ['pids', 'tids'] } },
  examples: {
    '': 'time on the processor until Ctrl-C',
    '-O -p 181': 'time off the processor of process 181',
    '-P -e 1 10': 'each process apart with averages, each second, 10 times',
    '-I -m': 'idle time too, in milliseconds',
  },
  sample: {
    before: 'Two programs that never wait share one processor with the rest of the machine:',
    args: '-m --comm server --duration 3',
    output: `
          msecs           : count    distribution
         0 -> 1          : 131      |*********************                   |
         2 -> 3          : 248      |****************************************|
         4 -> 7          : 16       |**                                      |`,
    after:
      'They never wait, so each turn ends because another task gets the processor: after 2 to 3 milliseconds as a rule, which is what the scheduler gives to a task where several want to run. With -O it shows how long they were away.',
  },
});
