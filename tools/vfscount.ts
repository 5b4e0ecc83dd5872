import bpf from '../bpf/vfscount.bpf.ts';
import { atKernelFunctions, filters, top } from '../lib/tool.ts';

const functions = atKernelFunctions('vfs_*');

export default top(bpf, {
  summary: 'Count calls of each function of the virtual file system.',
  area: 'files',
  activity: 'Counting calls of vfs_*',
  description: `
Counts how often each function of the kernel whose name begins with vfs_ is called, and prints the counts at the end, or at each interval. Those without any call are not shown.

The functions are hooked all at once where the kernel can do that (kprobe.multi, 5.18), or else one by one, which takes some seconds at the start and at the end. Functions that cannot be traced, or whose code the compiler put into their callers, are not counted.`,
  overhead:
    'A pread(2) of 64 bytes took 38 % longer, and a stat(2) 34 %, in an emulated machine, of which nanoseconds would say nothing.',
  options: { ...filters },
  map: 'calls',
  computed: {
    func: { type: 'text_t', help: 'name of the function', value: ({ address }) => functions.nameOf(BigInt(address)) },
  },
  columns: { address: { header: 'ADDR' }, func: {}, count: {} },
  sort: ['count', 'func'],
  attach: functions.attach,
  examples: {
    '': 'count calls until Ctrl-C',
    '1 10': 'each second, 10 times',
    '-p 181 --duration 10': 'those of process 181, for 10 seconds',
  },
});
