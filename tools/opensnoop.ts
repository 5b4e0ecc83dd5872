import bpf from '../bpf/opensnoop.bpf.ts';
import { filters, flag, snoop, text } from '../lib/tool.ts';

export default snoop(bpf, {
  summary: 'Trace the open(2) family of system calls.',
  description: '',
  overhead: '',
  options: {
    ...filters,
    failed: flag('-x, --failed', 'only failed opens', { set: 'failed_only' }),
    name: text('-n, --name <TEXT>', 'only commands whose name contains TEXT'),
    fullPath: flag('-F, --full-path', 'resolve relative names', { set: 'full_path' }),
  },
  keep: (event, { name }) => name === undefined || event.comm.includes(name),
  columns: {
    time: { flag: '-T, --timestamp' },
    uid: { flag: '-U, --print-uid' },
    pid: {},
    comm: {},
    fd: {},
    error: { header: 'ERR' },
    flags: { flag: '-e, --extended-fields', hidden: ['--extended_fields'] },
    mode: { when: 'flags' },
    path: {},
  },
  attach: { optional: ['open__tp', 'creat__tp', 'openat2__tp'] },
  examples: { '': 'trace every open', '-x -p 181': 'trace the failed opens of process 181' },
});
