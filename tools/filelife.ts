import bpf from '../bpf/filelife.bpf.ts';
import { filters, flag, snoop } from '../lib/tool.ts';

export default snoop(bpf, {
  summary: 'Trace files that are deleted, and how old they were.',
  area: 'files',
  activity: 'Tracing the life of files',
  description: `
Prints a line for each file that is deleted after it was made while the tracing was on: its age, and who deleted it; who made it is in the fields "creator" and "ccomm" of JSON. A file is made when open(2) and its like really create it, and it is deleted when its last name is (vfs_unlink()). Where functions of the kernel cannot be hooked, only files of ext4 are seen. The name is the last part of the path; with --full-path it is the one of the call, behind its directory if it is relative.

Filters are about who deletes. A file that is made without a name (O_TMPFILE) is shown if it gets one that is deleted. Not seen are files that never have a name, those that are replaced by a rename, and those that a network server or io_uring makes. Of the 65,536 latest files that were made and not deleted the time is known.`,
  overhead:
    'About 0.5 µs for each open and 2 µs for each deleted file (run time of the programs on a busy 2-core virtual machine).',
  options: {
    ...filters,
    fullPath: flag('-F, --full-path', 'show paths instead of names', { group: 'column', set: 'full_path' }),
  },
  meanings: {
    creator: 'process id of who made the file',
    ccomm: 'command name of who made the file',
  },
  columns: {
    time: {},
    pid: {},
    comm: {},
    age: { header: 'AGE(s)', width: 8, text: (ns) => (ns / 1e9).toFixed(2) },
    path: { header: 'FILE', text: (path, { truncated }) => (truncated ? `${path}...` : path) },
  },
  attach: {
    either: [
      ['unlink__fentry', 'unlink__fexit'],
      ['unlink__kprobe', 'unlink__kretprobe'],
      ['ext4_unlink__tp_btf', 'ext4_unlinked__tp_btf'],
    ],
    optional: ['open__tp', 'creat__tp', 'openat__tp', 'openat2__tp'],
  },
  examples: { '': 'trace all', '-F -p 181': 'full paths of what process 181 deletes' },
  sample: {
    before: 'Three times, a file is copied with cat, and the copy deleted:',
    args: '--comm rm',
    output: `
TIME         PID COMM               AGE(s) FILE
17:20:09    2629 rm                   0.06 copy
17:20:09    2653 rm                   0.01 copy
17:20:09    2677 rm                   0.02 copy`,
    after:
      'The files lived for 10 to 60 milliseconds. PID is who deleted them, not who made them, which JSON has as "creator".',
  },
});
