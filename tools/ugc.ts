import bpf from '../bpf/ugc.bpf.ts';
import {
  atLeastMicroseconds,
  atLeastMilliseconds,
  atRuntimes,
  languageAliases,
  milliseconds,
  runtimeOptions,
  snoop,
  text,
  timeColumn,
} from '../lib/tool.ts';

const runtimes = atRuntimes({
  python: { provider: 'python', probes: { generation_begins: 'gc__start', generation_ends: 'gc__done' } },
  java: {
    provider: 'hotspot',
    probes: {
      gc_begins: 'gc__begin',
      gc_ends: 'gc__end',
      pool_begins: 'mem__pool__gc__begin',
      pool_ends: 'mem__pool__gc__end',
    },
  },
  ruby: {
    provider: 'ruby',
    probes: {
      mark_begins: 'gc__mark__begin',
      mark_ends: 'gc__mark__end',
      sweep_begins: 'gc__sweep__begin',
      sweep_ends: 'gc__sweep__end',
    },
  },
});

export default snoop(bpf, {
  summary: 'Trace garbage collections of Java, Python and Ruby.',
  area: 'programs',
  activity: 'Tracing garbage collections',
  description: `
Prints a line for each garbage collection of a process, or of all that run when the tracing begins, when it is done: how long it took, and what the runtime says of it. The runtime has to have statically defined probes (USDT), which a program finds out for itself; tplist shows them. Of Debian's packages OpenJDK, Python 3.11 and Ruby 3.1 have them; a Python of other origin mostly was built without them. All processes of a runtime can be traced at once since Linux 5.15. Node.js has none since version 19, and Perl, PHP and Tcl have none for this.

Java: gc is a whole collection, full or not, and pool is the part of one memory pool, with what was used before and after and what can be. That holds for collectors that stop the program; those that run beside it (ZGC, and parts of G1) are only seen in part. Python: the generation and how many objects were collected. Ruby: mark and sweep, which may be done in steps.`,
  overhead:
    'Two breakpoints for each collection, or part of one: 6 µs (20,000 collections of nothing in Python, on a busy virtual machine with 2 processors).',
  options: {
    ...runtimeOptions(['java', 'node', 'python', 'ruby']),
    milliseconds,
    minimum: atLeastMilliseconds('-M, --minimum <MS>', 'collections that took', 'min_latency'),
    minimumMicros: atLeastMicroseconds('-t, --threshold <US>', 'collections that took', 'min_latency'),
    contains: text('-F, --filter <TEXT>', 'only collections whose description contains TEXT', { group: 'filter' }),
  },
  meanings: {
    manager: 'manager of the memory pool',
    pool: 'memory pool',
    began_with: 'what the runtime said at the beginning, such as the generation or the bytes used',
    ended_with: 'what the runtime said at the end, such as objects collected or the bytes used',
  },
  computed: {
    description: { type: 'text_t', help: 'what the runtime says of it', value: (event) => describe(event) },
  },
  keep: (event, values) => values.contains === undefined || describe(event).includes(values.contains),
  columns: {
    time: {},
    pid: {},
    latency: timeColumn,
    description: {},
  },
  attach: runtimes.attach,
  warnings: runtimes.warnings,
  aliases: languageAliases(['java', 'node', 'python', 'ruby'], 'gc'),
  examples: {
    '-l python': 'collections of all that runs Python',
    '-m 181': 'those of process 181, in milliseconds',
    '-m -M 10 181': 'those that take 10 ms or more',
    '-F gen 181': 'those whose description has this text',
  },
  sample: {
    before:
      'A program in Python makes rings of 200, 2000, 20000 and again 200 objects, and has each collected by hand:',
    args: '-l python 30314',
    output: `
TIME         PID   TIME(us) DESCRIPTION
20:52:47   30314      32.44 generation 0: 200 collected
20:52:47   30314     607.83 generation 1: 2000 collected
20:52:47   30314    1844.19 generation 2: 20000 collected
20:52:47   30314       8.46 generation 0: 200 collected`,
    after:
      'The collection of generation 2 stopped the program for 1.8 milliseconds: about 0.1 microseconds for each object.',
  },
});

interface Event {
  readonly phase: string;
  readonly began_with: number | bigint;
  readonly ended_with: number | bigint;
  readonly pool_max: number;
  readonly manager?: string | undefined;
  readonly pool?: string | undefined;
}

function describe({ phase, began_with: before, ended_with: after, pool_max: max, manager, pool }: Event): string {
  switch (phase) {
    case 'pool':
      return `${manager} ${pool}: used ${before} -> ${after}${max < 2 ** 63 ? ` of ${max}` : ''} bytes`;
    case 'generation':
      return `generation ${before}: ${after} collected`;
    case 'gc':
      return BigInt(before) === 0n ? 'gc' : 'full gc';
    default:
      return phase;
  }
}
