import bpf from '../bpf/numamove.bpf.ts';
import { KscopeError, kernelEnum, text, top } from '../lib/tool.ts';

const PREFIX = 'MR_';
const USUAL = 'numa_misplaced';

export default top(bpf, {
  summary: 'Count the pages that are moved to another NUMA node.',
  area: 'memory',
  activity: 'Counting page migrations',
  description: `
Counts, each second, the pages that the kernel moves to the node of the processor that uses them (automatic NUMA balancing), those that could not be moved, and how long the moving took: from migrate:mm_migrate_pages_start to migrate:mm_migrate_pages, with the reason MR_NUMA_MISPLACED. Before Linux 5.17 the time is not known.

There are none on a machine of one node, or without numa_balancing. With --reason, migrations for another reason are counted, such as compaction, memory_hotplug or syscall.`,
  overhead: 'About 0.9 µs for each call that moves pages (run time of the programs on a busy 2-core virtual machine).',
  options: {
    reason: text('--reason <REASON>', `only pages that are moved for this reason; usually ${USUAL}`, {
      group: 'filter',
    }),
  },
  map: 'moves',
  meanings: {
    migrations: 'pages that were moved',
    failures: 'pages that could not be moved',
  },
  columns: {
    migrations: { header: 'NUMA_migrations' },
    milliseconds: { header: 'NUMA_migrations_ms', align: 'right', text: (ms) => Number(ms).toFixed(3) },
    failures: { header: 'FAILED' },
  },
  computed: {
    milliseconds: {
      type: 'maybe_count_t',
      help: 'how long the moving took in milliseconds, where it is known',
      value: ({ total }) => (total === 0 ? undefined : total / 1e6),
    },
  },
  sort: ['migrations'],
  interval: 1,
  prepare(object, { reason = USUAL }) {
    const reasons = kernelEnum({ member: 'MR_COMPACTION' });
    const [number] = [...reasons].find(([, name]) => name === `${PREFIX}${reason.toUpperCase()}`) ?? [];
    if (number === undefined) {
      const known = [...reasons.values()].filter((name) => name !== 'MR_TYPES');
      throw new KscopeError('usage', `the kernel moves no pages for the reason '${reason}'`, {
        hint: `reasons: ${known.map((name) => name.slice(PREFIX.length).toLowerCase()).join(', ')}`,
      });
    }
    object.globals.set('wanted_reason', number);
  },
  attach: { optional: ['mm_migrate_pages_start__tp'] },
  examples: {
    '': 'count each second',
    '-T 10 6': 'every 10 seconds, a minute long, with the time',
    '--reason compaction': 'the pages that compaction moves',
  },
  sample: {
    before: 'On a machine of one node, somebody writes to /proc/sys/vm/compact_memory:',
    args: '-T --reason compaction 2 1',
    output: `
20:52:55
NUMA_migrations NUMA_migrations_ms FAILED
          16428            306.848    161`,
    after:
      '16428 pages were moved, which took 307 ms in all, and 161 could not be. Without --reason only pages that follow a processor to its node are counted: none on such a machine.',
  },
});
