import bpf from '../bpf/softirqslower.bpf.ts';
import { cpuFilter, integer, snoop, softirqName } from '../lib/tool.ts';

export default snoop(bpf, {
  summary: 'Trace soft interrupts that wait or run long.',
  area: 'kernel',
  activity: 'Tracing slow soft interrupts',
  description: `
Prints a line for each soft interrupt that took at least 10000 microseconds, or as many as are given: in stage wait, from the moment when it was raised (irq:softirq_raise) until its handler began (irq:softirq_entry); in stage run, until the handler was done (irq:softirq_exit). One that is raised again before it is served waits since the first time. The names of the vectors are those of the running kernel.

The process is the one that runs on the processor at the end of the stage: the one that was interrupted, or ksoftirqd. Hard interrupts that come in between count as time of the handler. What was raised, or ran, before the tracing began is not shown.`,
  overhead: 'About 0.5 µs for each soft interrupt, slow or not (measured on a busy 2-core virtual machine).',
  options: {
    minimum: integer('[min_us]', 'only what took at least this many microseconds; usually 10000', { set: 'min_time' }),
    cpu: cpuFilter,
  },
  meanings: {
    vector: 'vector, as a number',
  },
  computed: {
    softirq: { type: 'text_t', help: 'name of the soft interrupt', value: ({ vector }) => softirqName(vector) },
  },
  columns: {
    time: {},
    stage: {},
    softirq: { width: 9 },
    latency: { header: 'LAT(us)', width: 10, text: (latency) => String(Math.floor(latency / 1000)) },
    cpu: {},
    comm: {},
  },
  examples: {
    '': 'trace what takes 10 milliseconds and more',
    '500 -c 0': 'trace what takes half a millisecond and more on the first processor',
  },
  sample: {
    before: 'A program that never waits runs on processor 1; the lines of other programs are left out:',
    args: '20 -c 1 --duration 3',
    output: `
TIME     STAGE SOFTIRQ      LAT(us)  CPU COMM
20:55:41 run   rcu               26    1 server
20:55:41 run   rcu               21    1 ksoftirqd/1
20:55:41 run   timer             38    1 server
20:55:41 wait  block             38    1 ksoftirqd/1
20:55:41 wait  rcu               21    1 ksoftirqd/1
20:55:41 run   sched             21    1 server`,
    after:
      'Four times the work itself took more than 20 microseconds, and twice it had to wait so long until it began, for the thread ksoftirqd. Where the command is server, that program was interrupted for as long.',
  },
});
