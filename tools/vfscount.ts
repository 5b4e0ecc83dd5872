import bpf from '../bpf/vfscount.bpf.ts';
import { atKernelFunctions, filters, top } from '../lib/tool.ts';

const functions = atKernelFunctions('vfs_*');

export default top(bpf, {
  summary: 'Count calls of each function of the virtual file system.',
  area: 'files',
  activity: 'Counting calls of vfs_*',
  description: `
Counts how often each function of the kernel whose name begins with vfs_ is called, and prints the counts at the end, or at each interval. Those without any call are not shown.

The functions are hooked all at once where the kernel can do that (kprobe.multi, 5.18), or else one by one, which takes some seconds at the start and at the end. Functions that cannot be traced, or whose code the compiler put into their callers, are not counted; nor are calls that go straight to the part into which it moved most of a function (vfs_rmdir.part.0, as in Linux 5.10).`,
  overhead:
    'A pread(2) of 64 bytes took 38 % longer, and a stat(2) 34 %, in an emulated machine, of which nanoseconds would say nothing.',
  options: { ...filters },
  map: 'calls',
  computed: {
    func: { type: 'text_t', help: 'name of the function', value: ({ address }) => functions.nameOf(BigInt(address)) },
  },
  meanings: {
    address: 'address of the function',
    count: 'calls',
  },
  columns: { address: { header: 'ADDR' }, func: {}, count: {} },
  sort: ['count', 'func'],
  attach: functions.attach,
  examples: {
    '': 'count calls until Ctrl-C',
    '1 10': 'each second, 10 times',
    '-p 181 --duration 10': 'those of process 181, for 10 seconds',
  },
  sample: {
    before: 'cp copies a small file:',
    args: '--comm cp',
    output: `
ADDR               FUNC                 COUNT
0xffffffff8143ce60 vfs_getattr_nosec       48
0xffffffff814310a0 vfs_open                46
0xffffffff8143deb0 vfs_fstatat             25
0xffffffff8143dc40 vfs_fstat               24
0xffffffff81434a10 vfs_read                13
0xffffffff81432e10 vfs_iter_read           11
0xffffffff81445520 vfs_get_link             9
0xffffffff81436ca0 vfs_copy_file_range      1
0xffffffff8148fba0 vfs_clone_file_range     1`,
    after:
      'The file itself was copied by one vfs_copy_file_range, in the kernel. Nearly all of the rest is the start of the program, with its libraries. The list is cut here; funccount counts any other functions.',
  },
});
