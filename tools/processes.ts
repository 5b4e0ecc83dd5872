import bpf from '../bpf/processes.bpf.ts';
import { choice, filters, flag, integer, pageBytes, snapshot } from '../lib/tool.ts';

const sorts = ['cpu', 'rss', 'virt', 'threads', 'start', 'pid', 'comm'] as const;

export default snapshot(bpf, {
  summary: 'List processes with the processor time and memory that they use.',
  area: 'processes',
  activity: 'Listing processes',
  description: `
Prints a line for each process, or with --per-thread for each thread. With an interval the list is made again each time, and CPU% is the share of one processor in the interval: of several threads it may be above 100. Without one it is that of the whole life, as ps(1) has it. Processes that end between two lists are not seen; pidpersec and exitsnoop see them.

The time is what the scheduler has given, threads that have ended included; it lags by up to a tick for those that run at the moment. STATE is that of the main thread: RUN and RUNQ (waits for a processor) are R of ps(1), SLEEP is S, DISK is D.

RSS is what the kernel has added up, as /proc/PID/stat has it: each processor adds what it has counted for a process when that comes to 32 pages or twice the number of processors, whichever is more, and before 6.2 each thread when it comes to 64. So up to that many pages, times processors or threads, are missing or too many for each of three kinds of memory: much in small processes on large machines. Linux 6.16 and later have exact numbers in /proc/PID/status.`,
  overhead:
    'Nothing but the time of each list: about 1 µs for each thread in the kernel (measured on a busy 2-core virtual machine).',
  options: {
    ...filters,
    threads: flag('--per-thread', 'each thread apart', { hidden: ['--threads'] }),
    kernel: flag('-k, --kernel', 'also threads of the kernel', { set: 'with_kernel' }),
    sort: choice('-s, --sort <FIELD>', 'the column to sort by', sorts, { group: 'output' }),
    rows: integer('-r, --rows <COUNT>', 'print at most this many rows; usually all', { min: 1, group: 'output' }),
  },
  rows(records, { threads, tid }) {
    if (threads || tid !== undefined) {
      return records;
    }
    const processes = new Map<number, (typeof records)[number]>();
    for (const row of records) {
      const main = processes.get(row.pid);
      // A main thread that has ended has no memory any more.
      const { rss = main?.rss, virt = main?.virt } = row;
      const cpu_time = (main?.cpu_time ?? 0) + row.cpu_time;
      processes.set(row.pid, { ...(main ?? row), cpu_time, rss, virt });
    }
    return [...processes.values()];
  },
  gains: {
    by: ['pid', 'tid', 'start_ticks'],
    lasting: true,
    show: (rows, { sort = 'cpu', rows: count }) => rows.toSorted(orders[sort]).slice(0, count),
  },
  meanings: {
    ppid: 'process id of the parent',
    rss: 'bytes of its memory, where it is known',
    virt: 'bytes of its address space, where it is known',
    threads: 'number of threads',
    start_ticks: 'start in hundredths of a second since the machine started, as /proc/PID/stat has it',
  },
  computed: {
    usage: {
      type: 'cpu_percent_t',
      value: ({ cpu_time, age = 0, period = age }) => (period > 0 ? Math.round((1e4 * cpu_time) / period) / 100 : 0),
    },
  },
  columns: {
    pid: {},
    tid: { when: ['threads', 'tid'] },
    comm: {},
    ppid: {},
    uid: {},
    state: { width: 6 },
    threads: {},
    usage: { header: 'CPU%' },
    rss: {},
    virt: {},
    start: {},
  },
  prepare(object, { threads, tid }) {
    object.globals.set('by_thread', threads || tid !== undefined);
    object.globals.set('page_size', pageBytes());
  },
  examples: {
    '': 'all processes, those first that have used the largest share of their life',
    '-s cpu 3': 'who uses the processors, every three seconds',
    '-s rss -r 10': 'the ten largest',
    '--per-thread -p 181 1': 'the threads of process 181 and what they use, each second',
  },
  sample: {
    before:
      'One yes writes to /dev/null with a lower priority, one to a pipe, and the processors have other work, too:',
    args: '-s cpu --comm yes 1 1',
    output: `
  PID COMM  PPID UID STATE THREADS  CPU%  RSS VIRT START
27161 yes  27158   0 SLEEP       1 36.51 1.6M 2.9M 02:37:08
27160 yes  27158   0 RUNQ        1  9.92 1.5M 2.9M 02:37:08`,
    after:
      'The one with the pipe had a third of a processor in that second and sleeps: the pipe was full. The other waits for a processor, of which it got a tenth, as its priority makes it.',
  },
});

type Listed = {
  readonly pid: number;
  readonly threads: number;
  readonly comm: string;
  readonly start: number;
  readonly rss: number | undefined;
  readonly virt: number | undefined;
};

/** The most first; numbers of processes and names from the beginning. */
const orders: Readonly<Record<(typeof sorts)[number], (a: Listed, b: Listed) => number>> = {
  cpu: (a, b) => usageOf(b) - usageOf(a),
  rss: (a, b) => (b.rss ?? 0) - (a.rss ?? 0),
  virt: (a, b) => (b.virt ?? 0) - (a.virt ?? 0),
  threads: (a, b) => b.threads - a.threads,
  start: (a, b) => b.start - a.start,
  pid: (a, b) => a.pid - b.pid,
  comm: (a, b) => a.comm.localeCompare(b.comm, 'en'),
};

function usageOf(row: Listed): number {
  return (row as Listed & { readonly usage: number }).usage;
}
