import bpf from '../bpf/ptracesnoop.bpf.ts';
import { commandOf, failedOnly, filters, flag, integer, ptraceRequest, snoop } from '../lib/tool.ts';

export default snoop(bpf, {
  summary: 'Trace processes that trace others, or read or write their memory.',
  area: 'processes',
  activity: 'Tracing ptrace(2) and its like',
  description: `
Prints a line for each call of ptrace(2) that begins or ends the tracing of another process or kills it, and for each of process_vm_readv(2), process_vm_writev(2) and pidfd_getfd(2), when it returns, with its error if it was refused. That is what debuggers do, and what somebody does who wants the secrets of a process or to put code into it. With --all there is a line for each request, such as those that read registers: a debugger or strace(1) makes several of them at each stop.

TPID is the number that the caller gave, of a process or a thread, in the pid namespace of the caller: in a container another one than here, which the field foreign says; TCOMM, which is looked up when the line is printed, is then unknown. A process that asks to be traced by its parent (PTRACE_TRACEME) has no target, and neither has pidfd_getfd, which takes a descriptor: FD is the one that it got. BYTES is what was copied by process_vm_readv or process_vm_writev, and the field address where the first piece was in the target.

/proc/PID/mem is another way to do this: who opens it is what opensnoop shows.`,
  overhead:
    'About 1 µs for each call that has a line (measured on a busy 2-core virtual machine); nothing for other calls.',
  options: {
    ...filters,
    failed: failedOnly,
    all: flag('-a, --all', 'also other requests of ptrace', { set: 'all_requests' }),
    target: integer('-T, --tpid <PID>', 'only calls with this target', {
      set: 'filter_target',
      group: 'filter',
      completes: 'pid',
      min: 1,
    }),
  },
  meanings: {
    address: 'where the first piece was in the target; absent for other calls',
    op: 'request of ptrace, as a number; -1 for other calls',
    tpid: 'process or thread that the call is about, as the caller numbers it',
    foreign: 'present when the caller is in a pid namespace of its own',
  },
  computed: {
    call: {
      type: 'text_t',
      help: 'request of ptrace, or name of the system call',
      value: ({ op, syscall }) => (op < 0 ? (syscall ?? '') : ptraceRequest(op)),
    },
    tcomm: {
      type: 'maybe_text_t',
      help: 'what the target is called, where it is known',
      value: ({ tpid, foreign }) => (tpid === undefined || foreign ? undefined : commandOf(tpid)),
    },
  },
  columns: {
    time: {},
    pid: {},
    comm: {},
    call: { width: 17 },
    tpid: {},
    tcomm: {},
    bytes: {},
    fd: {},
    error: { header: 'ERR' },
  },
  attach: { optional: ['process_vm_readv__tp', 'process_vm_writev__tp', 'pidfd_getfd__tp'] },
  examples: {
    '': 'trace who takes hold of other processes',
    '-x': 'trace what was refused',
    '-a -T 181': 'trace all that debuggers do with process 181',
  },
  sample: {
    before: 'strace runs a program:',
    args: '',
    output: `
TIME         PID COMM             CALL                 TPID TCOMM               BYTES   FD ERR
21:15:33   30205 strace           PTRACE_SEIZE        30207 -                       -    - -
21:15:33   30208 strace           PTRACE_TRACEME          - -                       -    - -
21:15:33   30205 strace           PTRACE_SEIZE        30209 -                       -    - -`,
    after:
      'First strace tries out on children of its own what the kernel can do: with PTRACE_SEIZE and with PTRACE_TRACEME, which a process says of itself. The last line is the program that is traced. With -a each later request has a line, too.',
  },
});
