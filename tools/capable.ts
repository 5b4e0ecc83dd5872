import bpf from '../bpf/capable.bpf.ts';
import { accepted, capabilityFilter, capabilityName, choice, filters, flag, snoop } from '../lib/tool.ts';

// In the order of enum unique.
const unique = ['pid', 'cgroup'] as const;

export default snoop(bpf, {
  summary: 'Trace checks of capabilities: who needs which, and whether it has it.',
  area: 'processes',
  activity: 'Tracing checks of capabilities',
  description: `
Prints a line each time that the kernel asks whether a thread has one of the capabilities(7), with the system call that it is in: what a program that runs as root really needs, or why one that does not is refused. Checks that the kernel makes only to decide between two ways, and does not audit, are left out unless -v asks for them; the commonest is CAP_SYS_ADMIN at each mapping of memory. Before the capability itself is looked at, another check may already have refused, or allowed: then there is no line.

The check is traced where it returns (cap_capable). Where the kernel allows no hook there, the tracepoint capability:cap_capable of Linux 6.14 takes its place: it does not tell whether a check is audited, so all are shown, AUDIT is empty and the field untold is true. The check may be about other credentials than the thread's own, such as those that mounted an overlay.`,
  overhead:
    'About 0.7 µs for each check, and a few more with stacks (measured on a busy 2-core virtual machine). Checks are a few for each new process, and one for each mapping of memory.',
  options: {
    ...filters,
    cgroup: { ...filters.cgroup, hidden: ['-c'] },
    verbose: flag('-v, --verbose', 'also checks that are not audited; and say which hooks were chosen and why', {
      set: 'with_unaudited',
    }),
    cap: capabilityFilter('--cap <NAME>', 'only this capability', 'filter_cap'),
    denied: flag('--denied', 'only checks that failed', { set: 'denied_only', group: 'filter' }),
    kernelStack: flag('-K, --kernel-stack', 'show the kernel stack', {
      group: 'column',
      set: 'kernel_stacks',
      hidden: ['--collect-kstack'],
    }),
    userStack: flag('-U, --user-stack', 'show the user stack', { group: 'column', set: 'user_stacks' }),
    unique: choice(
      '--unique [WHAT]',
      'trace each capability once for each process or cgroup, and once when missing',
      unique,
      {
        set: 'unique',
        // Without a word, it is for each process.
        encode: (what) => Math.max(0, unique.indexOf(what)) + 1,
      },
    ),
    auditOnly: accepted('--audit-only'),
    extra: flag('-x, --extra', 'show thread, system call, verdict and INSETID', {
      hidden: ['--extra-fields'],
      group: 'column',
    }),
  },
  meanings: {
    unaudited: 'present when the check is not audited',
    untold: 'present when the kernel does not tell whether the check is audited',
    insetid: 'present when the check is about a change of user or group ids',
    cap: 'number of the capability',
  },
  computed: {
    name: { type: 'text_t', help: 'name of the capability', value: ({ cap }) => capabilityName(cap) ?? '?' },
    audit: {
      type: 'maybe_text_t',
      help: 'whether the check is audited',
      value: ({ unaudited, untold }) => (untold ? undefined : unaudited ? 'no' : 'yes'),
    },
    verdict: { type: 'text_t', help: 'allow or deny', value: ({ error }) => (error === undefined ? 'allow' : 'deny') },
  },
  columns: {
    time: {},
    uid: {},
    pid: {},
    tid: { when: 'extra' },
    comm: {},
    cap: { width: 4 },
    name: { width: 22 },
    audit: { width: 5 },
    syscall: { when: 'extra' },
    verdict: { when: 'extra', width: 7 },
    insetid: { when: 'extra', width: 7 },
  },
  stacks: {
    table: 'stacks',
    kernel: 'kernel',
    user: 'user',
    process: 'pid',
    when: ['kernelStack', 'userStack'],
  },
  attach: {
    either: [['cap_capable__fexit'], ['cap_capable__kprobe', 'cap_capable__kretprobe'], ['cap_capable__tp_btf']],
  },
  examples: {
    '': 'trace all checks that are audited',
    '-p 181 --unique': 'which capabilities process 181 needs',
    '--denied -K': 'trace checks that failed, and where',
    '-x --cap net_admin': 'trace what asks for CAP_NET_ADMIN, and in which system call',
  },
  sample: {
    before: 'chroot starts a program as another user, who has no rights in the new root:',
    args: '--unique -- chroot --userspec=nobody / true',
    output: `
TIME         UID     PID COMM              CAP NAME                   AUDIT
20:50:25       0   21415 sh                 21 CAP_SYS_ADMIN          -
20:50:25       0   21415 chroot             18 CAP_SYS_CHROOT         -
20:50:25       0   21415 chroot              6 CAP_SETGID             -
20:50:25       0   21415 chroot              7 CAP_SETUID             -
20:50:25   65534   21415 chroot              2 CAP_DAC_READ_SEARCH    -
20:50:25   65534   21415 chroot              1 CAP_DAC_OVERRIDE       -
20:50:25   65534   21415 chroot             21 CAP_SYS_ADMIN          -`,
    after:
      'What chroot needs is CAP_SYS_CHROOT, CAP_SETGID and CAP_SETUID. As user 65534 it has nothing any more, and -x shows that the last three were refused; CAP_SYS_ADMIN comes from mapping memory, which succeeds without. This kernel does not tell which checks are audited.',
  },
});
