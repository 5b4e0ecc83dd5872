import bpf from '../bpf/bpfstats.bpf.ts';
import {
  bpfHolders,
  bpfName,
  choice,
  everyCpu,
  type Holder,
  integer,
  mapMemory,
  programCosts,
  RunCounting,
  rowFilters,
  snapshot,
} from '../lib/tool.ts';

const sorts = ['run_time', 'runs', 'total_time', 'map_bytes', 'map_count', 'id'] as const;

let holders: ReadonlyMap<string, readonly Holder[]> = new Map();

export default snapshot(bpf, {
  summary: 'Show how often BPF programs run, and what they cost.',
  area: 'kernel',
  activity: 'Counting runs of BPF programs',
  description: `
Prints every second which BPF programs ran, how often and for how long, those that took most time first, and who holds them: whatever tool or agent loaded them. The kernel counts runs only while somebody asks for it; that is done for as long as this tool runs (BPF_ENABLE_STATS, or always with the sysctl kernel.bpf_stats_enabled). TOTAL is the time since the program was loaded, as far as it was counted.

RUNTIME is the time in the program itself. What it takes to get there is not in it: the breakpoint of a uprobe, which takes many times as long, the trampoline or the tracepoint. %CPU is the share of all processors together. MAPMEM is the memory of the maps that a program uses, as the kernel tells it; maps that programs share are counted with each of them. Programs that did not run in the time are not shown; the sum of a time need not be that of its programs, of which some may be gone. The program with which this tool lists the others is left out.`,
  overhead:
    'The kernel reads a clock twice in each run of every BPF program: 0.1 µs (measured on a 2-core virtual machine). Each output takes a few milliseconds for the programs, their maps and a look at all descriptors of all processes.',
  options: {
    rows: integer('-r, --rows <COUNT>', 'print at most this many rows; usually all', { min: 1, group: 'output' }),
    sort: choice('-s, --sort <FIELD>', 'the column to sort by', sorts, { group: 'output' }),
    pid: { ...rowFilters.pid, summary: 'only programs that this process holds' },
  },
  interval: 1,
  hold() {
    return new RunCounting();
  },
  rows(records) {
    holders = bpfHolders();
    return records.flatMap((row) => {
      const costs = programCosts(row.id);
      return costs === undefined
        ? []
        : [
            {
              ...row,
              runs: costs.runs,
              run_time: costs.time,
              total_time: costs.time || undefined,
              map_count: costs.maps.length,
              map_bytes: costs.maps.reduce((sum, map) => sum + mapMemory(map), 0) || undefined,
            },
          ];
    });
  },
  gains: {
    by: ['id'],
    show(rows, { sort = 'run_time', rows: count, pid }) {
      const wanted = rows.filter(({ id }) => {
        const pids = holders.get(`prog ${id}`)?.map((holder) => holder.pid) ?? [];
        return pids.join() !== String(process.pid) && (pid === undefined || pids.includes(pid));
      });
      return wanted.sort((a, b) => (b[sort] ?? 0) - (a[sort] ?? 0)).slice(0, count);
    },
  },
  meanings: {
    name: 'name of the program',
    runs: 'how often it ran',
    id: 'id of the program',
    code: 'type of the program, as a number',
    map_count: 'number of maps that it uses',
  },
  computed: {
    kind: {
      type: 'text_t',
      help: 'type of the program',
      value: ({ code }) => bpfName('bpf_prog_type', 'BPF_PROG_TYPE_', code),
    },
    average: {
      type: 'maybe_ns_t',
      help: 'time of one run in nanoseconds',
      value: ({ runs, run_time }) => (runs ? Math.round(run_time / runs) : undefined),
    },
    cpu_share: {
      type: 'percent_t',
      help: 'share of the time of all processors',
      value: ({ run_time, period = 1 }) => (100 * run_time) / period / everyCpu().length,
    },
    holders: {
      type: 'maybe_text_t',
      help: 'processes that have a descriptor of it',
      value: ({ id }) =>
        holders
          .get(`prog ${id}`)
          ?.map(({ pid, comm }) => `${comm}(${pid})`)
          .join(', '),
    },
  },
  columns: {
    id: { header: 'PROGID', width: 6 },
    kind: { header: 'TYPE', width: 14 },
    name: {},
    run_time: { header: 'RUNTIME' },
    runs: { header: 'RUNCOUNT' },
    average: { header: 'AVG' },
    cpu_share: { header: '%CPU' },
    total_time: { header: 'TOTAL' },
    map_bytes: { header: 'MAPMEM' },
    map_count: { header: 'MAPS', width: 4 },
    holders: { header: 'HELD BY' },
  },
  examples: {
    '': 'what all programs cost, every second',
    '-r 5 10': 'the five dearest, every 10 seconds',
    '-p 181 1 1': 'what the programs of process 181 cost in one second',
  },
  sample: {
    before: 'opensnoop watches while a shell runs cat again and again:',
    args: '-p 5096 1 2',
    output: `
PROGID TYPE       NAME       RUNTIME RUNCOUNT   AVG %CPU  TOTAL MAPMEM MAPS HELD BY
497676 tracepoint openat__tp  8.12ms    13876 585ns 0.39 9.16ms   8.1M   10 node(5096)

PROGID TYPE       NAME       RUNTIME RUNCOUNT   AVG %CPU  TOTAL MAPMEM MAPS HELD BY
497676 tracepoint openat__tp  11.8ms    20483 575ns 0.59 20.9ms   8.1M   10 node(5096)`,
    after:
      'Of its four programs only the one for openat(2) ran: 20,000 times in the second, at 0.58 microseconds, which is 0.59 % of the two processors. Of the 8.1 MB of its maps nearly all is the ring for events.',
  },
});
