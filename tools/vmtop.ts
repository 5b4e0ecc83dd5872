import bpf from '../bpf/vmtop.bpf.ts';
import { choice, flag, integer, listing, text, vmCounters, vmUnit, vmUnitBytes } from '../lib/tool.ts';

const sorts = ['delta', 'delta_bytes', 'current', 'current_bytes', 'metric'] as const;

export default listing(bpf, {
  summary: 'Show how the counters of the memory management change.',
  area: 'memory',
  activity: 'Reading counters of the memory management',
  description: `
Prints every five seconds which counters of /proc/vmstat have changed in the time and by how much, those that changed most first. Some tell how much there is of something and may become less (most that begin with nr_), others only grow, with what happens.

What a counter counts follows from its name alone. Where it is memory, the change and the whole are also told in bytes (DELTA_KB, CURRENT_MB): of pages, by the machine's size of a page; of huge pages, for the five counters that are printed in them, as nr_anon_transparent_hugepages; and of kilobytes, as nr_kernel_stack and pgpgin. What is just counted, as pgfault, has no size. The counters are those of the whole machine; for one container the cgroup's memory.stat has its own.

The kernel keeps what each processor has not added yet apart, so that small changes may appear late or together.`,
  overhead:
    'Nothing but the time of each output: the kernel adds up its counters, 0.1 ms (measured on a busy 2-core virtual machine).',
  options: {
    all: flag('-a, --all', 'also counters that have not changed'),
    name: text('-n, --name <TEXT>', 'only counters whose name contains TEXT', { group: 'filter' }),
    sort: choice('-s, --sort <FIELD>', 'the column to sort by', sorts, { group: 'output' }),
    rows: integer('-r, --rows <COUNT>', 'print at most this many rows; usually all', { min: 1, group: 'output' }),
  },
  interval: 5,
  rows: ({ name = '' }) =>
    [...vmCounters()]
      .filter(([metric]) => metric.includes(name))
      .map(([metric, current]) => {
        const unit = vmUnit(metric);
        const size = vmUnitBytes(unit);
        return { metric, unit, delta: 0, delta_bytes: bytes(0, size), current, current_bytes: bytes(current, size) };
      }),
  show(rows, before, { sort = 'delta', rows: count, all }) {
    const former = new Map(before.map(({ metric, current }) => [metric, current]));
    const changed = rows.map((row) => {
      const { metric, current } = row as { readonly metric: string; readonly current: number };
      const delta = current - ((former.get(metric) as number | undefined) ?? current);
      return { ...row, delta, delta_bytes: bytes(delta, vmUnitBytes(vmUnit(metric))) };
    });
    return changed
      .filter(({ delta }) => all || delta !== 0)
      .sort((a, b) => (sort === 'metric' ? 0 : Math.abs(Number(b[sort] ?? 0)) - Math.abs(Number(a[sort] ?? 0))))
      .slice(0, count);
  },
  readBy: 'anybody',
  fields: {
    metric: { type: 'text_t', help: 'name of the counter' },
    unit: { type: 'text_t', help: 'what it counts: page, huge page, kilobyte or event' },
    delta: { type: 'integer', help: 'change in the interval' },
    delta_bytes: { type: 'integer', help: 'change in bytes, where it counts memory' },
    current: { type: 'count_t', help: 'value at the end of the interval' },
    current_bytes: { type: 'maybe_bytes_t', help: 'value in bytes, where it counts memory' },
  },
  columns: {
    metric: { width: 30 },
    delta: { width: 10 },
    delta_bytes: { header: 'DELTA_KB', width: 10, text: (value) => scaled(value, 2 ** 10) },
    current: { width: 12 },
    current_bytes: { header: 'CURRENT_MB', width: 10, text: (value) => scaled(value, 2 ** 20) },
  },
  examples: {
    '': 'what changes, every five seconds',
    '-n nr_ 1': 'how much memory there is of each kind, every second',
    '-s delta_bytes -r 10': 'the ten largest changes of memory',
  },
  sample: {
    before: 'A program fills 200 MB of memory that it shares, while the machine has other work:',
    args: '-s delta_bytes -r 8 2 1',
    output: `
METRIC                 DELTA DELTA_KB    CURRENT CURRENT_MB
pgalloc_normal        104726   418904 2855466458   11154166
nr_zone_inactive_anon  91948   367792    1001493       3912
nr_inactive_anon       91948   367792    1001493       3912
nr_free_pages         -90492  -361968    2136350       8345
nr_mapped              52514   210056     497843       1945
nr_file_pages          51375   205500    1041740       4069
nr_shmem               51200   204800     449518       1756
nr_anon_pages          40700   162800     556729       2175`,
    after:
      'nr_shmem has grown by 51200 pages, which are the 200 MB; they also count as nr_file_pages and nr_mapped, and are written to swap rather than to a file, which is why they are on the list inactive_anon. Others took 160 MB of their own (nr_anon_pages) in the same two seconds.',
  },
});

function bytes(count: number, size: number | undefined): number | undefined {
  return size === undefined ? undefined : count * size;
}

function scaled(value: unknown, by: number): string {
  return value === undefined ? '-' : String(Math.round(Number(value) / by));
}
