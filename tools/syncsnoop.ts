import bpf from '../bpf/syncsnoop.bpf.ts';
import { atLeastMilliseconds, failedOnly, filters, snoop } from '../lib/tool.ts';

export default snoop(bpf, {
  summary: 'Trace the sync(2) family of system calls, and how long they take.',
  area: 'files',
  activity: 'Tracing sync(2) and its like',
  description: `
Prints a line for each sync(2), fsync(2), fdatasync(2), msync(2), sync_file_range(2) and syncfs(2) when it returns, with the time that it took and the file of its descriptor. Calls that were under way when the tracing began have no time.

Not seen are files that are opened for synchronous writing (O_SYNC, O_DSYNC), and io_uring.`,
  overhead:
    'About 2 to 3 µs for each call (run time of the programs on a busy 2-core virtual machine); those calls mostly take far longer.',
  options: {
    ...filters,
    failed: failedOnly,
    minimum: atLeastMilliseconds('-m, --min <MS>', 'calls that took', 'min_time'),
  },
  columns: {
    time: {},
    pid: {},
    comm: {},
    syscall: { header: 'CALL', width: 15 },
    latency: { header: 'LAT(ms)', text: (ns) => (ns / 1e6).toFixed(3) },
    error: { header: 'ERR' },
    path: { text: (path, { truncated }) => (truncated ? `${path}...` : path) },
  },
  attach: {
    optional: [
      'sync__tp',
      'sync_enter__tp',
      'fsync__tp',
      'fsync_enter__tp',
      'fdatasync__tp',
      'fdatasync_enter__tp',
      'msync__tp',
      'msync_enter__tp',
      'sync_file_range__tp',
      'sync_file_range_enter__tp',
      'syncfs__tp',
      'syncfs_enter__tp',
    ],
  },
  examples: {
    '': 'trace all calls',
    '-m 10': 'only those that took 10 ms or more',
    '-p 181 --json': 'those of process 181, as JSON',
  },
  sample: {
    before: 'The same file is written twice, with an fsync at the end:',
    args: '--comm dd',
    output: `
TIME         PID COMM             CALL             LAT(ms) ERR     PATH
17:20:09    2624 dd               fsync              1.308 -       /var/tmp/demo/log
17:20:09    2647 dd               fsync             12.497 -       /var/tmp/demo/log`,
    after:
      'It waited 1.3 milliseconds once and 12.5 the other time: the time is that of the whole call, and depends on what else the disk has to write.',
  },
});
