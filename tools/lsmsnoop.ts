import bpf from '../bpf/lsmsnoop.bpf.ts';
import {
  atKernelReturns,
  filters,
  flag,
  KscopeError,
  kernelBtf,
  kernelFunction,
  kernelFunctions,
  list,
  nameMatcher,
  securityHooks,
  snoop,
} from '../lib/tool.ts';

/** What a program does on purpose, and is refused now and then. */
const usual = [
  ...['bpf', 'bprm_check_security', 'file_mprotect', 'file_open', 'file_receive', 'inode_create', 'inode_link'],
  ...['inode_mkdir', 'inode_mknod', 'inode_removexattr', 'inode_rename', 'inode_rmdir', 'inode_setattr'],
  ...['inode_setxattr', 'inode_symlink', 'inode_unlink', 'kernel_load_data', 'kernel_module_request'],
  ...['kernel_read_file', 'locked_down', 'move_mount', 'path_chmod', 'path_chown', 'path_chroot', 'path_link'],
  ...['path_mkdir', 'path_mknod', 'path_rename', 'path_rmdir', 'path_symlink', 'path_truncate', 'path_unlink'],
  ...['perf_event_open', 'ptrace_access_check', 'ptrace_traceme', 'sb_mount', 'sb_pivotroot', 'sb_remount'],
  ...['sb_umount', 'settime', 'socket_accept', 'socket_bind', 'socket_connect', 'socket_create', 'socket_listen'],
  ...['syslog', 'task_kill', 'task_prctl', 'task_setnice', 'task_setscheduler', 'unix_stream_connect'],
  ...['userns_create'],
];

interface Values {
  readonly hooks: readonly string[] | undefined;
  readonly all: boolean;
}

const returns = atKernelReturns(({ hooks, all }: Values) => {
  const known = securityHooks(kernelBtf());
  const matchers = (hooks ?? (all ? ['*'] : usual)).map((name) => nameMatcher(name, false));
  const isWanted = (hook: string | undefined) => hook !== undefined && matchers.some((matches) => matches(hook));
  const { functions } = kernelFunctions((name) => isWanted(known.get(name)), true);
  if (functions.length === 0) {
    throw new KscopeError('usage', `this kernel has no hook '${hooks?.join(',') ?? '*'}' that can be traced`);
  }
  return functions;
});

export default snoop(bpf, {
  summary: 'Trace what the security modules (LSM) allow and refuse.',
  area: 'processes',
  activity: 'Tracing decisions of the security modules',
  description: `
Prints a line each time that the kernel has asked the security modules (AppArmor, SELinux, capabilities, BPF and others) whether something may be done, with the name of the hook, the system call that the thread is in, and the answer. Why a program gets EPERM or EACCES although permissions of files are good: -x shows only answers that refuse, and the hook says what was refused.

Hooks are traced where the functions that ask all modules (security_NAME) return, so the answer is that of all modules together; which of them refused is not told. That needs no lsm=bpf at boot. Only hooks that decide are traced, those with a result. ENOSYS, EOPNOTSUPP and ENOPROTOOPT, and ENOPARAM for options of mounts, are what hooks return that no module has anything to say to: they are in the field answer, but are no refusal. Some hooks return more than an answer, such as a length.

Traced are the hooks for what programs do on purpose: ${usual.join(', ')}, as far as the kernel has them. Those for changes to files come in pairs, since some modules look at paths and others at inodes. With --all everything is traced that decides, also what each read, write, lookup or packet asks (file_permission, inode_permission, socket_sendmsg, capable), and --hooks takes any by name. Functions are hooked all at once where the kernel can do that (kprobe.multi, 5.18), or else one by one, which takes some seconds at the start and at the end. Before Linux 5.16, kernel stacks do not go beyond the hook.`,
  overhead:
    '0.5 to 1.1 µs for each decision that is not shown (run time of the program in an emulated guest with Linux 6.18, some times slower than a machine; mkdir(2) and rmdir(2) ask four times together), and the hook at the return of the function besides.',
  options: {
    ...filters,
    hooks: list('-H, --hooks <HOOKS>', 'only these hooks, by names with * and ?; otherwise the usual', (name) => name, {
      group: 'filter',
    }),
    all: flag('-a, --all', 'also the other hooks that decide', { hidden: ['--trace-all'] }),
    refused: flag('-x, --failed', 'only answers that refuse', { group: 'filter', set: 'refused_only' }),
    kernelStack: flag('-K, --kernel-stack', 'show the kernel stack', { group: 'column', set: 'kernel_stacks' }),
  },
  meanings: {
    address: 'address of the function',
    answer: 'what the hook returned: 0 or a negative error number, of some hooks also more',
  },
  computed: {
    hook: {
      type: 'text_t',
      help: 'the hook',
      value: ({ address: at }) => securityHooks(kernelBtf()).get(kernelFunction(at)) ?? '?',
    },
  },
  columns: {
    time: { flag: '-T, --timestamp' },
    uid: { flag: '-U, --print-uid' },
    pid: {},
    comm: {},
    syscall: { width: 16 },
    hook: { width: 24 },
    answer: { width: 6 },
    error: { header: 'ERR' },
  },
  stacks: { table: 'stacks', kernel: 'kernel', when: ['kernelStack'] },
  attach: returns,
  examples: {
    '': 'trace the usual decisions',
    '-x -T': 'what is refused, with the time',
    "-H 'bpf*,ptrace_*' -K": 'who uses BPF and ptrace, with stacks',
    '-a -x -p 181': 'all that is refused to process 181',
  },
  sample: {
    before:
      'Somebody who is not root sets the clock, and attaches strace to another process while kernel.yama.ptrace_scope is 1; then a program that has confined itself by Landlock opens a file:',
    args: '-x -u nobody',
    output: `
    PID COMM             SYSCALL          HOOK                     ANSWER ERR
    177 date             clock_settime    settime                      -1 EPERM
    178 strace           ptrace           ptrace_access_check          -1 EPERM
    181 python3          openat           file_open                   -13 EACCES`,
    after:
      'The first has not the capability CAP_SYS_TIME, and the second may trace only its own children, by rule of Yama. For the third, permissions of the file allow everybody to read it: that a hook refused shows that the reason is not there.',
  },
});
