import bpf from '../bpf/runqlen.bpf.ts';
import { accepted, byClock, flag, histogram, samplingOptions } from '../lib/tool.ts';

export default histogram(bpf, {
  summary: 'Summarize how many tasks wait for the processors, by sampling.',
  area: 'processors',
  activity: 'Sampling run queue length',
  description: `
Looks at the queue of each processor 99 times a second, or as often as --frequency says, and counts the tasks that wait there: all that could run, of every kind and cgroup, but for the one that runs. With --runqocc it prints the share of the samples in which anything waited. A sleeping task that the scheduler has not taken out of the queue yet does not count. Lengths of 32 and more are counted by powers of two.

With --own-queue only the queue of the cgroup whose task runs is looked at. It is shorter where tasks of several cgroups wait for the same processor, and has only tasks of the usual kind: neither real-time nor deadline ones.

The clock is the kernel's software clock; on some machines it stops on processors that are idle. Then those give no samples, and the share is one of the time in which the processor was busy.`,
  overhead:
    'About 3 µs for each sample: 0.03 % of a processor at the usual 99 samples a second (measured on a busy 2-core virtual machine).',
  options: {
    ...samplingOptions(99),
    frequency: { ...samplingOptions(99).frequency, hidden: ['-f'] },
    cpus: flag('--per-cpu', 'each processor apart', { set: 'per_cpu', hidden: ['--cpus'] }),
    ownQueue: flag('--own-queue', "count only the queue of the running task's cgroup", { set: 'own_queue' }),
    host: accepted('-H, --host'),
  },
  map: 'hists',
  unit: () => ({ name: 'runqlen', size: 1 }),
  step: () => 1,
  keys: { cpu: { when: ['cpus'] } },
  share: {
    flag: '-O, --runqocc',
    summary: 'print how often anything waits: the share of the samples',
    help: 'per cent of the samples in which a task waited',
    header: 'RUNQOCC',
  },
  attach: { by: { sample: byClock(99) } },
  examples: {
    '': 'the length of all queues until Ctrl-C',
    '-O --per-cpu 1': 'how often anything waits for each processor, every second',
    '-T 1 5': 'the length each second, 5 times, with the time',
  },
  sample: {
    before:
      'Three programs that always have something to do are bound to processor 1, while the machine is busy with other work:',
    args: '--per-cpu -O 1 3',
    output: `
CPU COUNT RUNQOCC
  1   100 100.00%
  0   101  88.12%

CPU COUNT RUNQOCC
  1    99 100.00%
  0    99 100.00%

CPU COUNT RUNQOCC
  1    99 100.00%
  0    99  97.98%`,
    after:
      'At nearly every look, on either processor, somebody waited: there is no room for more work. How long they wait is told by runqlat, how many they are by this tool without -O.',
  },
});
