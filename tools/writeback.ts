import bpf from '../bpf/writeback.bpf.ts';
import { diskName, flag, kernelEnum, snoop } from '../lib/tool.ts';

export default snoop(bpf, {
  summary: 'Trace when and why the kernel writes dirty pages back.',
  area: 'files',
  activity: 'Tracing writeback',
  description: `
Prints a line for each round of writeback, from writeback:writeback_start to writeback:writeback_written: how many pages were handed to the disk, for what reason, and how long that took, which is not when they are on the disk. Reasons are named as in the running kernel. The field "dev" is the file system that the round is for; 0:0 is all that the device has. With --all rounds without a page are shown as well.

What fsync(2) and direct input and output write is not seen: they do not ask for such rounds.`,
  overhead:
    'About 3 µs for each round (run time of the programs on a busy 2-core virtual machine), of which there are seldom more than a few in a second.',
  options: { idle: flag('-a, --all', 'also rounds in which nothing was written') },
  keep: ({ pages }, { idle }) => idle || pages > 0,
  meanings: {
    pages: 'pages that were handed to the disk',
    bdi: "device as writeback knows it: major:minor, or the file system's own name",
    why: 'reason, as a number of the running kernel',
  },
  computed: {
    device: { type: 'text_t', help: 'disk, or what the device is called', value: ({ bdi }) => diskName(bdi) },
    reason: { type: 'text_t', help: 'why the round was begun', value: ({ why }) => reasonName(why) },
  },
  columns: {
    time: {},
    device: {},
    pages: {},
    reason: { width: 16 },
    latency: { header: 'ms', width: 10, text: (ns) => (ns / 1e6).toFixed(3) },
  },
  examples: { '': 'trace all', '-a --time rfc3339': 'rounds without pages too, with exact times' },
  sample: {
    before:
      'dd writes 8 MiB to a file, sync -f follows, and then another dd writes 4 MiB to a file and nobody asks for more:',
    args: '',
    output: `
TIME     DEVICE          PAGES REASON                   ms
20:53:30 vda              3139 sync                 10.140
20:53:56 vda               471 periodic              9.094
20:54:01 vda              1025 periodic              0.395
20:54:06 vda                 1 periodic              3.943`,
    after:
      'sync had 3139 pages written, the 2048 of the file and what else there was. The 1024 pages of the other file and one more were written half a minute later, when they were old enough (vm.dirty_expire_centisecs).',
  },
});

function reasonName(number: number): string {
  const name = kernelEnum({ member: 'WB_REASON_SYNC' }).get(number);
  return name?.replace(/^WB_REASON_/, '').toLowerCase() ?? String(number);
}
