import bpf from '../bpf/exitsnoop.bpf.ts';
import { filters, flag, signalName, snoop, text } from '../lib/tool.ts';

export default snoop(bpf, {
  summary: 'Trace the end of processes.',
  area: 'processes',
  description: `
Prints a line when the last thread of a process has ended, with the age of the process and how it ended. With --per-thread a line for each thread.

The parent is the one at that time, which is another process than the one that started it where that has ended before.`,
  overhead:
    'About 1 µs for each process or thread that ends (measured on a 2-core virtual machine): not measurable in practice.',
  options: {
    ...filters,
    cgroup: { ...filters.cgroup, hidden: ['-c'] },
    failed: flag('-x, --failed', 'only what did not end with exit status 0', { set: 'failed_only' }),
    perThread: flag('--per-thread', 'threads as well as processes', { set: 'per_thread', hidden: ['--threaded'] }),
    label: text('--label <TEXT>', 'print TEXT in a column of its own', { group: 'column' }),
  },
  computed: {
    label: { type: 'text_t', help: 'text given with --label', value: (_, { label }) => label },
    status: {
      type: 'text_t',
      help: 'how it ended, in words',
      value: ({ exit_code, signal, core_dumped }) =>
        signal === undefined
          ? exit_code === 0
            ? '0'
            : `code ${exit_code}`
          : `signal ${signal} (${signalName(signal) ?? '?'})${core_dumped ? ', core dumped' : ''}`,
    },
  },
  columns: {
    time: { flag: '-T, --timestamp' },
    uid: { flag: '-U, --print-uid', summary: 'show the user id' },
    label: { when: 'label' },
    comm: { header: 'PCOMM' },
    pid: {},
    ppid: {},
    tid: {},
    age: { header: 'AGE(s)', text: (age) => (age / 1e9).toFixed(2) },
    status: { header: 'EXIT_CODE' },
  },
  examples: {
    '': 'trace the end of every process',
    '-x': 'trace the processes that failed',
    '--per-thread -p 181': 'trace the threads of process 181',
  },
});
