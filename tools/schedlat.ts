import bpf from '../bpf/schedlat.bpf.ts';
import { choice, filters, flag, integer, snapshot } from '../lib/tool.ts';

const sorts = ['wait', 'cpu', 'tid'] as const;

export default snapshot(bpf, {
  summary: 'Show which shares of time threads run, wait and sleep.',
  area: 'processors',
  activity: 'Reading the times of threads',
  description: `
Prints every second, for each thread that ran or waited, which share of the time it was on a processor (%CPU), could have run and waited for one in the run queue (%LAT), and neither (%SLP: it slept, or was stopped). Those that waited longest come first. Of a thread that is younger than the interval, these are shares of its life; threads that end within an interval are not in it.

These are the scheduler's own sums, those of /proc/PID/schedstat, read with nothing hooked; threads do not notice. The scheduler adds a wait when it is over; one that goes on is added here, so that a thread that never gets its turn shows as waiting. Both times lag by up to a tick, and a limit of processor time that holds a thread back is in %SLP or %LAT, as the kernel takes it off the queue or not: cputhrottle shows that. How the waits are distributed is what runqlat shows.`,
  overhead:
    'Nothing but the time of each output: about 0.7 µs for each thread of the machine (measured on a busy 2-core virtual machine).',
  options: {
    ...filters,
    all: flag('-a, --all', 'also threads that neither ran nor waited'),
    kernel: flag('-k, --kernel', 'also threads of the kernel', { set: 'with_kernel' }),
    sort: choice('-s, --sort <FIELD>', 'the column to sort by', sorts, { group: 'output' }),
    rows: integer('-r, --rows <COUNT>', 'print at most this many rows; usually all', { min: 1, group: 'output' }),
  },
  rows: (records) => records,
  interval: 1,
  gains: {
    by: ['tid', 'start_ticks'],
    lasting: true,
    show: (rows, { sort = 'wait', rows: count, all }) =>
      rows
        .filter(({ cpu_time, wait_time }) => all || cpu_time > 0 || wait_time > 0)
        .toSorted((a, b) => orders[sort](a, b) || a.tid - b.tid)
        .slice(0, count),
  },
  meanings: {
    cpu_time: 'nanoseconds on a processor',
    wait_time: 'nanoseconds in which it waited for a processor',
    elapsed: 'nanoseconds since the thread began; with an interval, since the output before',
    start_ticks: 'start in hundredths of a second since the machine started, as /proc/PID/stat has it',
  },
  computed: {
    cpu_share: {
      type: 'percent_t',
      help: 'share of the time in which it ran',
      value: (row) => share(row, row.cpu_time),
    },
    wait_share: {
      type: 'percent_t',
      help: 'share of the time in which it waited for a processor',
      value: (row) => share(row, row.wait_time),
    },
    sleep_share: {
      type: 'percent_t',
      help: 'share of the time in which it could not run',
      value: (row) => share(row, Math.max(0, row.elapsed - row.cpu_time - row.wait_time)),
    },
  },
  columns: {
    pid: {},
    tid: {},
    comm: {},
    state: { width: 6 },
    cpu_share: { header: '%CPU' },
    wait_share: { header: '%LAT' },
    sleep_share: { header: '%SLP' },
  },
  examples: {
    '': 'all threads that ran or waited, every second',
    '-T -p 181': 'the threads of process 181, with the time',
    '-r 5 10': 'the five that waited longest, every 10 seconds',
  },
  sample: {
    before: 'gzip, with a lower priority, shares its processor with a shell that does nothing but run:',
    args: '--comm gzip 1 3',
    output: `
  PID   TID COMM STATE  %CPU  %LAT %SLP
24489 24489 gzip RUNQ  11.17 89.04 0.00

  PID   TID COMM STATE  %CPU  %LAT %SLP
24489 24489 gzip RUNQ  12.01 88.01 0.00

  PID   TID COMM STATE %CPU  %LAT %SLP
24489 24489 gzip RUNQ  8.62 91.38 0.00`,
    after:
      'gzip never sleeps: it would use a whole processor, and gets a tenth. It is slow for want of processor time, not of input. The first line comes to a little more than 100 %, since both times lag by up to a tick.',
  },
});

const orders: Readonly<Record<(typeof sorts)[number], (a: Times, b: Times) => number>> = {
  wait: (a, b) => b.wait_time - a.wait_time,
  cpu: (a, b) => b.cpu_time - a.cpu_time,
  tid: () => 0,
};

interface Times {
  readonly cpu_time: number;
  readonly wait_time: number;
}

/** Sums that lag have a little of the time before. */
function share({ elapsed }: { readonly elapsed: number }, time: number): number {
  return elapsed > 0 ? Math.min(100, Math.round((1e4 * time) / elapsed) / 100) : 0;
}
