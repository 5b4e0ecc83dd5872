import bpf from '../bpf/wqlat.bpf.ts';
import { flag, histogram, nanoseconds, text, units } from '../lib/tool.ts';

export default histogram(bpf, {
  summary: "Summarize how long work waits in the kernel's workqueues.",
  area: 'kernel',
  activity: 'Tracing workqueue latency',
  description: `
Measures the time from the moment when work is put into a workqueue (workqueue:workqueue_queue_work) until a worker begins with it (workqueue:workqueue_execute_start). Waiting for a worker counts, and waiting because the queue has as many active ones as it may have.

Work that is to wait for some time first is put into its queue when that time is over: what it waited until then does not count. Work that is queued already when the tracing begins is not counted, nor is what is cancelled.`,
  overhead: 'About 3 µs for each piece of work (measured on a busy 2-core virtual machine).',
  options: {
    queues: flag('-W, --workqueues', 'each workqueue apart', { set: 'by_queue' }),
    name: text('-w, --wqname <NAME>', 'only the workqueue of this name', {
      set: 'filter_name',
      group: 'filter',
      encode: (name) => name.slice(0, 31),
    }),
    nanoseconds,
  },
  map: 'hists',
  unit: ({ nanoseconds }) => (nanoseconds ? units.nsecs : units.usecs),
  meanings: {
    wqname: 'name of the workqueue',
  },
  keys: { wqname: { when: ['queues'] } },
  examples: {
    '': 'one distribution until Ctrl-C',
    '-W 1 10': 'each workqueue apart, every second, 10 times',
    '-w events_unbound -N': 'one queue, in nanoseconds',
  },
  sample: {
    before:
      'For two seconds dd writes to a file past the page cache, so that the workqueue of block devices has something to do:',
    args: '-w kblockd --duration 2',
    output: `
          usecs           : count    distribution
         0 -> 1          : 0        |                                        |
         2 -> 3          : 85       |**********                              |
         4 -> 7          : 314      |****************************************|
         8 -> 15         : 257      |********************************        |
        16 -> 31         : 21       |**                                      |
        32 -> 63         : 2        |                                        |
        64 -> 127        : 2        |                                        |
       128 -> 255        : 0        |                                        |`,
    after:
      'Nearly all work began within 16 microseconds of when it was queued: kblockd adds little to each request. One, left out here, waited for more than 8 ms, for a busy processor.',
  },
});
