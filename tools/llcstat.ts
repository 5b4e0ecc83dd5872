import bpf from '../bpf/llcstat.bpf.ts';
import { byCounter, filters, flag, integer, lacksCounters, top } from '../lib/tool.ts';

const USUAL_PERIOD = 100;

/** References that were no misses, in per cent. Both are estimates: nobody knows when there are more misses. */
export function hitPercent({ references, misses }: Readonly<Record<'references' | 'misses', number>>) {
  return references === 0 || misses > references ? undefined : (100 * (references - misses)) / references;
}

export default top(bpf, {
  summary: 'Show how often processes miss the last-level cache.',
  area: 'processors',
  activity: 'Sampling the last-level cache',
  description: `
Samples two counters of each processor, the references to its last-level cache and the misses, and adds up by process and processor how many of each there were: every sample stands for as many events as the period says, so small numbers are rough.

The more events, the more samples: ten million references in a second are 100,000 samples. When a processor takes more samples of a counter than kernel.perf_event_max_sample_rate allows, which is 100,000 a second or less, the kernel stops that counter until the next tick, and numbers are too small; the kernel does not tell that to BPF programs. With a longer --sample-period they are right.

It needs the processor's counters, which virtual machines often do not have: the tool then says so and ends. What exactly counts as a reference is up to the processor.`,
  overhead:
    'An interrupt for each hundred events, unless --sample-period says otherwise, and in it 0.5 to 0.7 µs for the program, which is 5 to 7 ns for each event; 0.2 µs when every event is sampled, one right after the other, and 0.1 µs for samples of processes that are not wanted. That is the run time of the programs on a busy 2-core virtual machine, measured with page faults, which the kernel counts, in place of the counters: no machine that this was written on has them. What the interrupt itself takes comes on top, and is not in these numbers.',
  options: {
    pid: filters.pid,
    uid: filters.uid,
    comm: filters.comm,
    cgroup: filters.cgroup,
    period: integer('-c, --sample-period <COUNT>', `events for each sample; usually ${USUAL_PERIOD}`, {
      set: 'sample_period',
      min: 1,
      hidden: ['--sample_period'],
    }),
    threads: flag('-t, --tid', 'each thread apart', { set: 'per_thread' }),
  },
  map: 'caches',
  meanings: {
    references: 'references to the cache',
    misses: 'references to what the cache did not have',
  },
  columns: {
    pid: {},
    tid: { when: 'threads' },
    comm: { header: 'NAME' },
    cpu: {},
    references: { header: 'REFERENCE' },
    misses: { header: 'MISS' },
    ratio: { header: 'HIT%', align: 'right', text: (ratio) => `${Number(ratio).toFixed(2)}%` },
  },
  computed: {
    ratio: {
      type: 'percent_t',
      help: 'references that were no misses, in per cent; absent when there are more misses than references',
      value: hitPercent,
    },
  },
  sort: ['references', 'misses', 'pid'],
  attach: {
    lacks: lacksCounters('cache references', 'cache misses'),
    by: { reference: byCounter('cache references', USUAL_PERIOD), miss: byCounter('cache misses', USUAL_PERIOD) },
  },
  examples: {
    '': 'by process and processor, until Ctrl-C',
    '10 1': 'for 10 seconds',
    '-t -p 181 -c 1000': 'the threads of a process, with a sample every 1000 events',
  },
  sample: {
    before:
      'These are no references to a cache: no machine that this was written on counts such. In this run page faults stood in for the references, and those among them that waited for a disk for the misses. A program reads 2000 pages of a file that are not in memory, and then writes to 8000 new ones:',
    args: '--comm pages',
    output: `
 PID NAME  CPU REFERENCE MISS   HIT%
4920 pages   1      6700 1800 73.13%
4920 pages   0      3300  100 96.97%`,
    after:
      'It began on processor 1, and was moved to the other one. Of its 10,060 page faults 10,000 are shown, and 1900 of the 2000 that waited: a sample stands for a hundred of its processor, so that each number may be a hundred away from what it should be. As much is to be expected of references and misses.',
  },
});
