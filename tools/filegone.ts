import bpf from '../bpf/filegone.bpf.ts';
import { failedOnly, filters, snoop } from '../lib/tool.ts';

export default snoop(bpf, {
  summary: 'Trace why files are gone: deleted, or renamed.',
  area: 'files',
  activity: 'Tracing deleted and renamed files',
  description: `
Prints a line for each unlink(2), unlinkat(2), rmdir(2), rename(2), renameat(2) and renameat2(2) that succeeded, with the names that the program gave. A name that is not from the root is relative to the current directory of the process, or to the directory whose descriptor it gave. A rename may also be the end of the file that had the new name.

Not seen are files that only the kernel or a network server deletes, those of io_uring, and temporary files without a name.`,
  overhead: 'About 1 to 3 µs for each call (run time of the programs on a busy 2-core virtual machine).',
  options: {
    ...filters,
    failed: failedOnly,
  },
  computed: {
    file: { type: 'text_t', help: 'name of the file', value: ({ names }) => names[0] ?? '' },
    renamed: { type: 'maybe_text_t', help: 'its new name', value: ({ names }) => names[1] },
  },
  meanings: {
    names: 'paths as they were given to the call',
  },
  columns: {
    time: {},
    pid: {},
    comm: {},
    action: { width: 6, text: (action) => (action === 'MOVE' ? 'RENAME' : 'DELETE') },
    error: { header: 'ERR', when: 'failed' },
    file: { text: (_, { names }) => names.join(' > ') },
  },
  attach: {
    optional: ['unlink__tp', 'unlinkat__tp', 'rmdir__tp', 'rename__tp', 'renameat__tp', 'renameat2__tp'],
  },
  examples: {
    '': 'trace all',
    '-p 181': 'what process 181 deletes and renames',
    '-x': 'what could not be deleted or renamed',
  },
  sample: {
    before: 'A file is given another name, and its old name again:',
    args: '--comm mv',
    output: `
TIME         PID COMM             ACTION FILE
17:20:09    2634 mv               RENAME log > log2
17:20:09    2635 mv               RENAME log2 > log`,
    after: 'Names are as the programs gave them: here relative to the directory that they were in.',
  },
});
