import bpf from '../bpf/cpuwalk.bpf.ts';
import { byClock, filters, flag, samplingOptions, top } from '../lib/tool.ts';

export default top(bpf, {
  summary: 'Count, by sampling, how often each processor is busy.',
  area: 'processors',
  activity: 'Sampling busy processors',
  description: `
Looks 99 times a second, or as often as --frequency says, which task runs on each processor, and counts the times at which it is not the idle one: work that one thread does walks over the processors, or stays on one of them while others rest. Divided by the number of samples in the time, it is the share of the time that the processor was busy with what the filters select.

The clock is the kernel's software clock; code that runs with interrupts off is seen where they are on again.`,
  overhead:
    'About 1 µs for each sample: 0.01 % of a processor at the usual 99 samples a second (measured on a busy 2-core virtual machine).',
  options: {
    ...filters,
    ...samplingOptions(99),
    commands: flag('-P, --commands', 'each command apart', { set: 'by_command' }),
  },
  map: 'counts',
  meanings: {
    samples: 'samples in which the processor was not idle',
  },
  columns: { cpu: {}, comm: { when: 'commands' }, samples: {} },
  sort: ['samples', 'cpu'],
  absent: ({ commands }) => (commands ? [] : ['comm']),
  attach: { by: { sample: byClock(99) } },
  examples: {
    '': 'count until Ctrl-C',
    '-P 1': 'who keeps which processor busy, every second',
    '-p 181 10': 'where the threads of process 181 run, every 10 seconds',
  },
  sample: {
    before: 'A program that never waits is bound to processor 1, which it shares with others:',
    args: '-P --comm server --duration 2',
    output: `
CPU COMM   SAMPLES
  1 server      66`,
    after:
      'Of 198 samples that two seconds have on a processor, 66 saw the program: a third of processor 1, and nothing of others. Without the binding, lines for more processors would show it walking.',
  },
});
