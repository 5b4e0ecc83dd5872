import bpf from '../bpf/exitsnoop.bpf.ts';
import { accepted, filters, flag, signalName, snoop, text } from '../lib/tool.ts';

export default snoop(bpf, {
  summary: 'Trace the end of processes.',
  area: 'processes',
  description: `
Prints a line when the last thread of a process has ended, with the age of the process and how it ended (sched:sched_process_exit). With --per-thread a line for each thread.

The parent is the one at that time, which is another process than the one that started it where that has ended before. A process that executes another program has not ended.`,
  overhead:
    'About 1 µs for each process or thread that ends (measured on a 2-core virtual machine): not measurable in practice.',
  options: {
    ...filters,
    cgroup: { ...filters.cgroup, hidden: ['-c'] },
    failed: flag('-x, --failed', 'only what did not end with exit status 0', { group: 'filter', set: 'failed_only' }),
    perThread: flag('--per-thread', 'each thread apart', { set: 'per_thread', hidden: ['--threaded'] }),
    timespec: accepted('--timespec'),
    label: text('--label <TEXT>', 'show TEXT in a column of its own', { group: 'column' }),
  },
  meanings: {
    ppid: 'process id of the parent',
    exit_code: 'exit status; 0 where a signal was the end',
    core_dumped: 'whether a core was dumped',
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
    uid: { flag: '-U, --print-uid' },
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
  sample: {
    before: 'A script runs some programs that fail, each in its own way:',
    args: '-x',
    output: `
PCOMM                PID    PPID     TID   AGE(s) EXIT_CODE
sh                 24534   24533   24534     0.00 code 3
sleep              24536   24535   24536     0.20 signal 15 (SIGTERM)
timeout            24535   24533   24535     0.20 code 124
grep               24562   24533   24562     0.01 code 1
perl               24563   24533   24563     0.00 signal 11 (SIGSEGV)`,
    after:
      'The first shell said exit 3. The program sleep was ended by timeout, its parent, which says 124 for that; sigsnoop shows who sends signals. What grep has not found is code 1, and perl crashed.',
  },
});
