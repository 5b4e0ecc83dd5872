import bpf from '../bpf/cpuunclaimed.bpf.ts';
import { byClock, everyCpu, flag, samplingOptions, top } from '../lib/tool.ts';

const usual = 99;
const WHOLE = 1000;

/** Samples to a share of the time of all processors, in percent. */
function share(samples: number, period: number, frequency = usual): number {
  return Math.min(100, (100 * samples) / ((period / 1e9) * frequency * everyCpu().length));
}

export default top(bpf, {
  summary: 'Show how often processors are idle while tasks wait for others.',
  area: 'processors',
  activity: 'Sampling processors and their queues',
  description: `
Prints every second which share of the time of all processors was used (%CPU), and which share was idle although a task waited elsewhere that could have run there (UNCLAIMED): time that the scheduler did not make use of. It moves tasks only now and then, since one that stays has its caches, so a little of that is to be expected; more points to a wrong configuration or to a fault.

Each processor that is busy looks at that many moments a second at all queues, its own and those of the others, so that processors which sleep need no clock and nothing has to happen at the same time. A task that may not run on the idle processors, by its affinity or cpuset, is not counted: with --all-tasks it is. Up to 32 waiting tasks of a processor are asked for that, and up to 256 processors are looked at. A limit of a cgroup makes tasks wait elsewhere, not in these queues. Real-time tasks count only with --all-tasks.`,
  overhead:
    'About 2 µs for each sample, of which each busy processor takes 99 in a second: 0.02 % of its time (measured on a busy 2-core virtual machine). It is more with many processors, all of whose queues are read when tasks wait.',
  options: {
    frequency: { ...samplingOptions(usual).frequency },
    any: flag('-a, --all-tasks', 'also tasks that may not run on the idle processors', { set: 'any_task' }),
  },
  map: 'samples',
  computed: {
    used: {
      type: 'percent_t',
      help: 'share of the time of all processors that was used',
      value: ({ busy, period = 1 }, { frequency }) => share(busy, period, frequency),
    },
    idle: {
      type: 'percent_t',
      help: 'share of the time of all processors that was idle although a task waited for another one',
      value: ({ unclaimed, period = 1 }, { frequency }) => share(unclaimed / WHOLE, period, frequency),
    },
  },
  columns: { used: { header: '%CPU' }, idle: { header: 'UNCLAIMED', width: 9 } },
  sort: ['used'],
  interval: 1,
  perSecond: true,
  idle: { busy: 0, unclaimed: 0 },
  prepare(object) {
    object.globals.set('cpus', Math.max(...everyCpu()) + 1);
  },
  attach: {
    by: {
      learn(program) {
        program.iterate();
      },
      sample: byClock(usual),
    },
  },
  examples: {
    '': 'used and unclaimed time, every second',
    '-T 5 12': 'every 5 seconds for a minute, with the time',
    '-a 1': 'also count tasks that are bound to their processor',
  },
  sample: {
    before:
      'Three programs that always have something to do are bound to one of two processors, while others keep the second one busy:',
    args: '-a 1 3',
    output: `
 %CPU UNCLAIMED
99.47      0.00

 %CPU UNCLAIMED
99.56      0.00

 %CPU UNCLAIMED
98.97      0.00`,
    after:
      'Both processors are busy, so nothing is unclaimed: that tasks wait is for want of processors. A number here would be time in which a processor was idle while tasks waited for another one: with -a also such as may only run there.',
  },
});
