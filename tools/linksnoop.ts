import bpf from '../bpf/linksnoop.bpf.ts';
import { failedOnly, filters, snoop } from '../lib/tool.ts';

export default snoop(bpf, {
  summary: 'Trace hard and symbolic links that are made.',
  area: 'files',
  activity: 'Tracing link(2) and symlink(2)',
  description: `
Prints a line for each link(2), linkat(2), symlink(2) and symlinkat(2) when it returns, with the names that the program gave and the error if it failed. TARGET is the file that gets another name, or the text of the symbolic link; LINK is the new name. With an empty TARGET linkat(2) was given a descriptor.

Links that are made through io_uring are not seen.`,
  overhead: 'About 2 to 3 µs for each call (run time of the programs on a busy 2-core virtual machine).',
  options: {
    ...filters,
    failed: failedOnly,
  },
  computed: {
    target: { type: 'text_t', help: 'what the link leads to', value: ({ names }) => names[0] ?? '' },
    path: { type: 'text_t', help: 'name of the link', value: ({ names }) => names[1] ?? '' },
  },
  meanings: {
    names: 'paths as they were given to the call',
  },
  columns: {
    time: { flag: '-T, --timestamp' },
    pid: {},
    comm: {},
    link: { header: 'TYPE', width: 8, text: (link) => (link === 'SYMBOLIC' ? 'SYMLINK' : 'HARDLINK') },
    error: { header: 'ERR' },
    target: { width: 32 },
    path: { header: 'LINK' },
  },
  attach: { optional: ['link__tp', 'linkat__tp', 'symlink__tp', 'symlinkat__tp'] },
  examples: { '': 'trace all', '-x -T': 'links that could not be made, with the time' },
  sample: {
    before: 'ln -s log l1, and then l2:',
    args: '--comm ln',
    output: `
    PID COMM             TYPE     ERR     TARGET                           LINK
   2631 ln               SYMLINK  -       log                              l1
   2655 ln               SYMLINK  -       log                              l2`,
    after: 'Two symbolic links to log were made. With an error in ERR, the link was not.',
  },
});
