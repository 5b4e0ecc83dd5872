import bpf from '../bpf/sigsnoop.bpf.ts';
import { filters, flag, integer, signalName, signalSet, snoop } from '../lib/tool.ts';

const calls = [
  'kill__tp',
  'tkill__tp',
  'tgkill__tp',
  'sigqueue__tp',
  'tgsigqueue__tp',
  'pidfd_send_signal__tp',
] as const;

export default snoop(bpf, {
  summary: 'Trace signals: who sends which one to whom, and what becomes of it.',
  area: 'processes',
  activity: 'Tracing signals',
  description: `
Prints a line for each signal that is sent, by a process or by the kernel. RESULT says what became of it: DELIVERED; IGNORED, since the target does; PENDING, which it was already, so that it comes only once; OVERFLOW, lost for want of room; LOST_INFO, delivered without its details. A process that sends to several targets makes several lines.

The sender is left out where no process sends: timers, input and output, and the kernel itself. What a fault or the end of a child causes is sent by the process that it happens to. The field code is si_code of sigaction(2).

With --kill, and as killsnoop, a line is a call of kill(2), tkill(2), tgkill(2), rt_sigqueueinfo(2), rt_tgsigqueueinfo(2) or pidfd_send_signal(2), with its error if it failed. Its target is the number that was given, in the pid namespace of the caller: negative for a process group, absent for a pidfd, and a thread alone in the field ttid for tkill(2).`,
  overhead:
    'About 0.3 µs for each signal, or with --kill 0.2 µs for each call (measured on a 2-core virtual machine), where kill(2) takes 1 µs or more.',
  options: {
    ...filters,
    failed: flag('-x, --failed', 'only calls that failed, or signals that were lost', {
      group: 'filter',
      set: 'failed_only',
    }),
    kill: flag('-k, --kill', 'only the system calls that send signals, with their results', {
      group: 'filter',
      hidden: ['--kill-only'],
    }),
    target: integer('-T, --tpid <PID>', 'only signals to this process', {
      set: 'filter_tpid',
      group: 'filter',
      completes: 'pid',
      min: -(2 ** 31),
    }),
    signals: signalSet('-s, --signal <SIGNALS>', 'only these signals, by name or number', 'filter_signals'),
    names: flag('-n, --name', 'show signals by name', { group: 'column' }),
  },
  meanings: {
    tpid: 'process id of who gets the signal, where it is known',
    ttid: 'thread id of who gets the signal, where it is known',
    tcomm: 'command name of who gets the signal, where it is known',
    code: 'why the signal was sent: si_code of sigaction(2)',
  },
  columns: {
    time: {},
    pid: {},
    comm: {},
    sig: { width: 6, text: (sig, _, { names }) => (names ? (signalName(sig) ?? String(sig)) : String(sig)) },
    tpid: {},
    tcomm: {},
    result: { width: 9 },
    error: { header: 'ERR' },
  },
  attach: {
    optional: calls,
    unwanted: ({ kill }) => (kill ? ['signal_generate__tp_btf'] : calls),
  },
  aliases: { killsnoop: ['--kill'] },
  examples: {
    '': 'trace all signals',
    '-n -s SIGKILL,SIGTERM': 'trace these signals, and show their names',
    '-k -x': 'trace calls of kill(2) and its like that failed',
  },
  sample: {
    before: 'timeout ends a program; a shell sends three signals to its children, of which one was started by nohup:',
    args: '-n -s SIGTERM,SIGUSR1,SIGHUP',
    output: `
TIME         PID COMM             SIG       TPID TCOMM            RESULT    ERR
21:15:36   30316 timeout          SIGTERM   30317 sleep            DELIVERED -
21:15:36   30316 timeout          SIGTERM   30317 sleep            IGNORED   -
21:15:36   30316 timeout          SIGTERM   30316 timeout          IGNORED   -
21:15:36   30315 sh               SIGUSR1   30327 sh               DELIVERED -
21:15:36   30315 sh               SIGHUP   30328 sleep            IGNORED   -
21:15:36   30315 sh               SIGTERM   30328 sleep            DELIVERED -`,
    after:
      'timeout signals its child and then its whole process group: by then the child is about to end, and timeout itself ignores the signal. nohup has its program ignore SIGHUP. DELIVERED means that the process has got it, not what it does about it: exitsnoop shows who died of a signal.',
  },
});
