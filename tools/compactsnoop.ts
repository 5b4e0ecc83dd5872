import bpf from '../bpf/compactsnoop.bpf.ts';
import { durationOption, filters, flag, kernelEnum, snoop } from '../lib/tool.ts';

let results: ReadonlyMap<number, string> | undefined;

export default snoop(bpf, {
  summary: 'Trace the compaction of memory, zone by zone.',
  area: 'memory',
  activity: 'Tracing compaction',
  description: `
Prints a line each time that a zone of memory has been compacted (compaction:mm_compaction_begin and _end): pages were moved so that free ones are next to each other, for whoever wants several in a row. MODE is SYNC when the task waits for pages that are in use, STATUS what came of it, in the words of the kernel. The order is that of the block of pages that was wanted; it is -1 when somebody asked for compaction of everything.

The task that waits is the one that wants memory, or kcompactd, which does the same in the background. With --extended the watermarks of the zone and its free pages at the end are shown, in pages. A zone that the kernel leaves out, because enough is free or nothing is to be gained, is not compacted and has no line.`,
  overhead:
    'About 5.6 µs for each zone that is compacted (run time of the programs on a busy 2-core virtual machine), which itself takes from microseconds to seconds.',
  options: {
    ...filters,
    kernelStack: flag('-K, --kernel-stack', 'show the kernel stack', { set: 'with_stacks', group: 'column' }),
    duration: durationOption,
  },
  meanings: {
    zone: 'zone of memory',
    min: 'lowest watermark of the zone in pages',
    low: 'low watermark of the zone in pages',
    high: 'high watermark of the zone in pages',
    free: 'free pages of the zone at the end',
    node: 'NUMA node of the zone',
    order: 'size that is wanted, as a power of two in pages; -1: none in particular',
    sync: 'whether the task waits for pages that are in use',
    code: 'result, as a number of the running kernel',
  },
  columns: {
    time: { flag: '-T, --timestamp' },
    comm: {},
    pid: {},
    node: { width: 4 },
    zone: { width: 8 },
    order: { width: 5 },
    sync: { header: 'MODE', width: 5, align: 'left', text: (sync) => (sync ? 'SYNC' : 'ASYNC') },
    min: { flag: '-e, --extended', summary: 'show watermarks and free pages', hidden: ['--extended_fields'] },
    low: { when: 'min' },
    high: { when: 'min' },
    free: { when: 'min' },
    latency: { header: 'LAT(ms)', text: (latency) => (latency / 1e6).toFixed(3) },
    status: {},
  },
  computed: {
    status: {
      type: 'text_t',
      help: 'what came of it',
      value: ({ code }) => {
        results ??= kernelEnum({ tag: ['compact_result'] });
        return results.get(code)?.replace('COMPACT_', '').toLowerCase() ?? String(code);
      },
    },
  },
  stacks: { table: 'stacks', kernel: 'stack', when: ['kernelStack'] },
  attach: { optional: ['suitable__tp_btf'] },
  examples: {
    '': 'trace all compaction',
    '-T -p 181': 'that for which a process waits, with the time',
    '-e -K': 'with the state of the zone, and who wants the memory',
  },
  sample: {
    before: 'Somebody writes to /proc/sys/vm/compact_memory:',
    args: '',
    output: `
COMM                 PID NODE ZONE     ORDER MODE   LAT(ms) STATUS
bash               17026    0 DMA         -1 SYNC     0.020 complete
bash               17026    0 DMA32       -1 SYNC    19.302 complete
bash               17026    0 Normal      -1 SYNC  1468.409 complete`,
    after:
      'The order is -1 as no certain size was wanted: each zone was compacted as far as that goes. bash waited for 1.5 seconds. For a program that asks for a huge page, the order is 9.',
  },
});
