import bpf from '../bpf/mdflush.bpf.ts';
import { diskFilter, filters, snoop } from '../lib/tool.ts';

export default snoop(bpf, {
  summary: 'Trace requests to flush the caches below software RAID.',
  area: 'disks',
  activity: 'Tracing flushes of md devices',
  description: `
Prints a line each time that an md device (software RAID) is asked to have what was written so far kept for good, which it must ask of each disk below (block:block_bio_queue with the flag REQ_PREFLUSH, for devices whose name begins with md): fsync(2) and the journals of file systems do that. Everything that the array does waits for it.

With --disk the flushes of that device are shown, whatever it is. The line comes when the flush is asked for: how long it takes is not known then.`,
  overhead:
    'About 0.15 µs for each request to any block device (run time of the programs on a busy 2-core virtual machine); one for a flush, which is printed, costs more.',
  options: {
    ...filters,
    disk: { ...diskFilter.disk, summary: 'only flushes of this device, be it an array or not' },
  },
  meanings: {
    device: 'name of the device',
  },
  columns: { time: {}, pid: {}, comm: {}, device: {} },
  examples: {
    '': 'trace the flushes of all arrays',
    '--comm postgres': 'those that one program asks for',
    '-d sda': 'those of a disk',
  },
  sample: {
    before:
      'dd writes 8 blocks to an array of two disks, with an fsync at the end, and another dd writes 3 blocks with O_DSYNC:',
    args: '',
    output: `
TIME         PID COMM             DEVICE
20:51:17     749 dd               md0
20:51:18     750 dd               md0
20:51:18     750 dd               md0
20:51:18     750 dd               md0`,
    after: 'One fsync is one flush, however much was written; with O_DSYNC each write is followed by one.',
  },
});
