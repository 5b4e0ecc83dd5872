import bpf from '../bpf/swapin.bpf.ts';
import { accepted, filters, pageBytes, top } from '../lib/tool.ts';

export default top(bpf, {
  summary: 'Count the pages that processes get back from swap.',
  area: 'memory',
  activity: 'Counting pages swapped in',
  description: `
Counts, each second and by process, the pages that are read from swap because the process touches them: it waits for each. Pages that the kernel reads along with those, as they may be wanted next, count for the process as well.

The count is that of the statistics of the process's cgroup (memcg:count_memcg_events, item PSWPIN), which is that of pswpin in /proc/vmstat. Linux 7.3 counts pages there only when they have been read, often in an interrupt of some other task, so the pages are counted that swap_read_submit (fentry or kprobe) is called for; where that cannot be hooked, part of them is shown for the tasks that were interrupted, often swapper with process id 0. On kernels without the tracepoint it is the pages that swap_read_folio or swap_readpage are called for, from zswap, too. Pages of nothing but zeros are not kept in swap from Linux 6.12 on, and getting them back is not counted.`,
  overhead:
    'About 0.06 µs for each event of a cgroup that the kernel counts (run time of the programs on a busy 2-core virtual machine), of which there are several for each page fault.',
  options: { ...filters, noTime: accepted('--notime') },
  map: 'swapins',
  meanings: {
    count: 'pages that were read from swap',
  },
  columns: { comm: {}, pid: {}, count: {} },
  sort: ['count', 'pid', 'comm'],
  interval: 1,
  attach: {
    either: [
      ['swap_read_submit__fentry'],
      ['swap_read_submit__kprobe'],
      ['count_memcg_events__tp_btf'],
      ['swap_read_folio__fentry'],
      ['swap_read_folio__kprobe'],
      ['swap_readpage__fentry'],
      ['swap_readpage__kprobe'],
    ],
  },
  prepare(object) {
    object.globals.set('page_size', pageBytes());
  },
  examples: {
    '': 'who waits for swap, each second',
    '-T 5 12': 'every 5 seconds, a minute long, with the time',
  },
  sample: {
    before: 'A program goes through 32 MiB twice, in a cgroup that may have 16:',
    args: '-T --comm touches 1',
    output: `
20:52:51
COMM      PID COUNT
touches 30931  8206`,
    after:
      '32 MiB are 8192 pages, and all had to be read from swap again: what is wanted next is always what has just been written there. Each read is a wait for the disk.',
  },
});
