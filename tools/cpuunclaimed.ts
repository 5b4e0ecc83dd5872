import bpf from '../bpf/cpuunclaimed.bpf.ts';
import {
  type BpfObject,
  byClock,
  csvOption,
  everyCpu,
  flag,
  pageBytes,
  samplingOptions,
  snoop,
  type Tool,
  top,
} from '../lib/tool.ts';

const usual = 99;
const WHOLE = 1000;

const options = {
  frequency: { ...samplingOptions(usual).frequency },
  csv: {
    ...csvOption,
    flags: '-j, --csv',
    set: 'every_sample' as const,
    hidden: ['-J', '--fullcsv'],
    conflicts: ['json', 'view', 'any'],
  },
  any: flag('-a, --all-tasks', 'also tasks that may not run on the idle processors', { set: 'any_task' }),
};

const attach = {
  by: {
    learn: (program: { iterate(): unknown }) => void program.iterate(),
    sample: byClock(usual),
  },
};

function countCpus(object: BpfObject): void {
  object.globals.set('cpus', Math.max(...everyCpu()) + 1);
}

/** Samples to a share of the time of all processors, in percent. */
function share(samples: number, period: number, frequency = usual): number {
  return Math.min(100, (100 * samples) / ((period / 1e9) * frequency * everyCpu().length));
}

const table = top(bpf, {
  summary: 'Show how often processors are idle while tasks wait for others.',
  area: 'processors',
  activity: 'Sampling processors and their queues',
  description: `
Prints every second which share of the time of all processors was used (%CPU), and which share was idle although a task waited elsewhere that could have run there (UNCLAIMED): time that the scheduler did not make use of. It moves tasks only now and then, since one that stays has its caches, so a little of that is to be expected; more points to a wrong configuration or to a fault.

Each processor that is busy looks 99 times a second, or as often as --frequency says, at all queues, its own and those of the others, so that processors which sleep need no clock and nothing has to happen at the same time. A task that may not run on the idle processors, by its affinity or cpuset, is not counted: with --all-tasks it is. Up to 32 waiting tasks of a processor are asked for that, and up to 256 processors are looked at. A limit of a cgroup makes tasks wait elsewhere, not in these queues. Real-time tasks count only with --all-tasks.

With --csv each sample is a line, as it comes: when it was taken and by which processor, and for each processor how many tasks were in its queue, those that run included. All of a line are looked at in one go, so there are no offsets between them; when all processors are idle, there are no lines.`,
  overhead:
    'About 2 µs for each sample, of which each busy processor takes 99 in a second: 0.02 % of its time (measured on a busy 2-core virtual machine). It is more with many processors, all of whose queues are read when tasks wait.',
  options,
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
  meanings: {
    busy: 'samples in which the processor was busy',
    unclaimed: 'samples in which the processor was idle while tasks waited elsewhere, in thousandths',
  },
  columns: { used: { header: '%CPU' }, idle: { header: 'UNCLAIMED', width: 9 } },
  sort: ['used'],
  interval: 1,
  perSecond: true,
  idle: { busy: 0, unclaimed: 0 },
  prepare(object) {
    countCpus(object);
    object.map('events').maxEntries = pageBytes();
  },
  attach,
  examples: {
    '': 'used and unclaimed time, every second',
    '-T 5 12': 'every 5 seconds for a minute, with the time',
    '-j': 'every sample as comma-separated values',
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

/** A line for each sample, with a column for each processor: how many there are is known only where it runs. */
function eachSample(cpus: readonly number[]): Tool {
  const queue = (cpu: number) => ({
    type: 'count_t',
    help: `tasks in the queue of processor ${cpu}`,
    value: ({ tasks }: { readonly tasks: readonly number[] }) => tasks[cpu],
  });
  const { summary, description, overhead, examples } = table;
  return snoop(bpf, {
    summary,
    description,
    overhead,
    options,
    examples,
    activity: 'Sampling processors and their queues',
    computed: Object.fromEntries(cpus.map((cpu) => [`cpu${cpu}`, queue(cpu)])),
    columns: { time: {}, cpu: {}, ...Object.fromEntries(cpus.map((cpu) => [`cpu${cpu}`, {}])) },
    prepare: countCpus,
    attach,
  });
}

const tool: Tool = {
  ...table,
  run: (context) => (context.values.csv === true ? eachSample(everyCpu()) : table).run(context),
};

export default tool;
