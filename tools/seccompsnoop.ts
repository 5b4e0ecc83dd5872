import bpf from '../bpf/seccompsnoop.bpf.ts';
import { filters, flag, snoop } from '../lib/tool.ts';

const returns = ['entered__btf', 'returned__btf'] as const;

export default snoop(bpf, {
  summary: 'Trace what seccomp filters do about system calls.',
  area: 'processes',
  activity: 'Tracing seccomp filters',
  description: `
Prints a line each time that a seccomp(2) filter kills for a system call, has it trapped, or has it logged: who made it, which one it is, and the action (CODE). What a filter allows is not shown.

The function that logs actions (audit_seccomp) tells KILL_PROCESS, KILL_THREAD and LOG, and ERRNO, TRACE and USER_NOTIF of filters that were installed with SECCOMP_FILTER_FLAG_LOG; what is in the sysctl kernel.seccomp.actions_logged counts there. TRAP is told by its signal, whether it is logged or not. Where the kernel allows no hook at that function, or was built without auditing, what kills is told by the signal (Linux 5.16 and later), where the last thread of a process always counts as KILL_PROCESS, and by threads that end alone; LOG, TRACE and USER_NOTIF are then not seen.

Most filters return ERRNO and log nothing. --refused finds these calls on all kernels: calls that return an error though they have never begun (raw_syscalls:sys_enter, raw_syscalls:sys_exit), which is shown as ERR. What a supervisor answers for USER_NOTIF, or a tracer for TRACE, is shown as ERRNO, too, when it is an error; ERRNO with 0 is not seen. Of threads that were there before, the first call may be missed. The user stack of who is killed has addresses and no names where the process is gone too soon.`,
  overhead:
    'Nothing for calls that are allowed, and 0.6 µs in the kernel for each call that is trapped. With --refused about 0.25 µs more for each system call of any process, and 0.35 µs where there is a filter (measured on a busy 2-core virtual machine).',
  options: {
    ...filters,
    refused: flag('-e, --refused', 'also calls that fail by a filter without being logged, with their errors', {
      set: 'with_refused',
    }),
    userStack: flag('-U, --user-stack', 'show the user stack', { group: 'column', set: 'user_stacks' }),
  },
  columns: {
    time: {},
    pid: {},
    tid: {},
    comm: {},
    action: { header: 'CODE', width: 12 },
    syscall: { width: 16 },
    error: { header: 'ERR' },
  },
  stacks: { table: 'stacks', user: 'user', process: 'pid', when: ['userStack'] },
  attach: {
    either: [['audited__fentry'], ['audited__kprobe'], ['killed__btf', 'exited__btf']],
    unwanted: ({ refused }) => (refused ? [] : returns),
  },
  examples: {
    '': 'trace what filters kill, trap and log',
    '-e -p 181': 'trace what process 181 is refused, too',
    '-U': 'trace who makes such calls',
  },
  sample: {
    before: 'A shell in a sandbox tries what its filter does not allow:',
    args: '-e',
    output: `
TIME         PID     TID COMM             CODE         SYSCALL          ERR
04:14:37    2308    2308 unshare          ERRNO        unshare          EPERM
04:14:37    2309    2309 chroot           ERRNO        chroot           EPERM
04:14:37    2310    2310 mount            ERRNO        mount            EPERM
04:14:37    2311    2311 strace           KILL_PROCESS ptrace           -
04:14:37    2313    2313 hostname         TRAP         sethostname      -`,
    after:
      'Three programs were told EPERM, as if they lacked a capability, and can say no more than that. strace was killed, and so was hostname, which did not handle the signal. What the filter should allow can be read here; seccompadvise makes a profile of what a program needs.',
  },
});
