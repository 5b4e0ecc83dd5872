import bpf from '../bpf/cputhrottle.bpf.ts';
import { choice, cpuPressure, integer, seconds, snapshot, text } from '../lib/tool.ts';

const sorts = ['throttled_time', 'throttled', 'periods'] as const;

export default snapshot(bpf, {
  summary: 'Show which cgroups are held back by their limit of processor time.',
  area: 'processors',
  activity: 'Counting throttled periods of cgroups',
  description: `
Prints every second, for each cgroup with a limit of processor time (cpu.max, or cpu.cfs_quota_us in version 1) whose tasks ran: the periods that went by, those in which the time was used up so that its tasks had to wait (THROTTLED and %THROT), and how long they had to, summed over the processors (TIME), so that it can be more than the time that went by. LIMIT is the limit as a number of processors. Those that waited longest come first. A limit on a cgroup above counts for all below it.

These are the kernel's own counters, those of the file cpu.stat, of both versions of cgroups; they are found by going over the tasks of the machine, so that a cgroup without tasks is not shown. The fields bursts and burst_time are what was used beyond the limit because it was saved up before (Linux 5.15). PSI10 and PSI60 are the shares of the last 10 and 60 seconds in which a task of the cgroup waited for a processor, for whatever reason, where the kernel tells them (cpu.pressure of version 2).`,
  overhead:
    'Nothing but the time of each output: 0.3 µs for each thread of the machine (run time of the program on a busy 2-core virtual machine).',
  options: {
    name: text('-n, --name <TEXT>', 'only cgroups whose path contains TEXT', { group: 'filter' }),
    rows: integer('-r, --rows <COUNT>', 'print at most this many rows; usually all', { min: 1, group: 'output' }),
    sort: choice('-s, --sort <FIELD>', 'the column to sort by', sorts, { group: 'output' }),
    interval: seconds('--interval <SECONDS>', 'the same as the argument', { unlisted: true }),
    intervals: integer('--count <COUNT>', 'the same as the argument', { unlisted: true, min: 1 }),
  },
  interval: 1,
  rows: (records, { name = '' }) => [
    ...new Map(records.filter(({ path }) => path.includes(name)).map((row) => [row.cgroup, row])).values(),
  ],
  gains: {
    by: ['cgroup'],
    show: (rows, { sort = 'throttled_time', rows: count }) =>
      rows.toSorted((a, b) => b[sort] - a[sort]).slice(0, count),
  },
  computed: {
    share: {
      type: 'percent_t',
      help: 'share of the periods that were throttled',
      value: ({ periods, throttled }) => (periods > 0 ? (100 * throttled) / periods : undefined),
    },
    psi10: {
      type: 'percent_t',
      help: 'share of the last 10 seconds in which a task waited for a processor',
      value: ({ path, cgroup }) => cpuPressure(path, cgroup)?.avg10,
    },
    psi60: {
      type: 'percent_t',
      help: 'the same of the last 60 seconds',
      value: ({ path, cgroup }) => cpuPressure(path, cgroup)?.avg60,
    },
  },
  meanings: {
    throttled_time: 'nanoseconds for which it was held back',
    burst_time: 'nanoseconds that it used of what it had saved',
    quota: 'nanoseconds of processor time that it may use in a period; absent where there is no limit',
    quota_period: 'nanoseconds of a period; absent where there is no limit',
    periods: 'periods that have passed',
    throttled: 'periods in which it was held back',
    bursts: 'periods in which it used what it had saved',
  },
  columns: {
    periods: {},
    throttled: { width: 9 },
    throttled_time: { header: 'TIME' },
    share: { header: '%THROT' },
    quota: {
      header: 'LIMIT',
      width: 6,
      text: (quota, { quota_period: period }) => (quota / (period ?? quota)).toFixed(2),
    },
    psi10: { width: 6 },
    psi60: { width: 6 },
    path: { header: 'CGROUP' },
  },
  examples: {
    '': 'which cgroups wait, every second',
    '-n kubepods -r 10 5': 'the ten pods that wait longest, every 5 seconds',
  },
  sample: {
    before: 'A cgroup, batch, may use 20 % of one processor, and in it runs gzip, which would use all of it:',
    args: '-n batch 1 3',
    output: `
PERIODS THROTTLED  TIME %THROT LIMIT PSI10 PSI60 CGROUP
     10         9 448ms  90.00  0.20     -     - /batch

PERIODS THROTTLED  TIME %THROT LIMIT PSI10 PSI60 CGROUP
     10        10 505ms 100.00  0.20     -     - /batch

PERIODS THROTTLED  TIME %THROT LIMIT PSI10 PSI60 CGROUP
     10        10 446ms 100.00  0.20     -     - /batch`,
    after:
      'In each second there are ten periods of 100 ms, and in nearly all of them gzip used its 20 ms up and was stopped until the next. It is slow because of the limit, not for want of processors: more than 0.20 has to be allowed, or less done.',
  },
});
