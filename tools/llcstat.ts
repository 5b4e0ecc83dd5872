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

It needs the processor's counters, which virtual machines often do not have: the tool then says so and ends. What exactly counts as a reference is up to the processor.`,
  overhead:
    'An interrupt for each hundred events, unless --sample-period says otherwise. Neither that nor an example with its output is here: no machine that this was written on has such counters, and the programs were tested with page faults, which the kernel counts, in their place.',
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
  columns: {
    pid: {},
    tid: { when: 'threads' },
    comm: { header: 'NAME' },
    cpu: {},
    references: { header: 'REFERENCE' },
    misses: { header: 'MISS' },
    hits: { header: 'HIT%', align: 'right', text: (hits) => `${Number(hits).toFixed(2)}%` },
  },
  computed: {
    hits: {
      type: 'maybe_count_t',
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
});
