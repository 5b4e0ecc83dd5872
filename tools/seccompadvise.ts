import bpf from '../bpf/seccompadvise.bpf.ts';
import { choice, filters, flag, integer, top } from '../lib/tool.ts';

const architecture = process.arch === 'arm64' ? 'SCMP_ARCH_AARCH64' : 'SCMP_ARCH_X86_64';
const actions = { errno: 'SCMP_ACT_ERRNO', kill: 'SCMP_ACT_KILL_PROCESS', log: 'SCMP_ACT_LOG' } as const;

export default top(bpf, {
  summary: 'Print the seccomp profile that lets programs go on as they did.',
  area: 'processes',
  activity: 'Tracing system calls',
  description: `
Lists which system calls are made (raw_syscalls:sys_enter), how often, and by which command last, for each mount namespace: containers have one each. With --profile what is printed is a profile for seccomp(2) as the OCI runtime specification has it: it allows the calls that were seen, and has all others fail. With -p, or a command behind --, processes that these make while it is traced belong to them, as they would inherit the profile; those that were there before do not.

What was not called was not seen: trace the start of the program, and let it do everything that it shall be able to do, its failures included. A call that another profile forbids is not seen either, since the kernel asks that before. The runtime needs some calls of its own between its loading of the profile and the start of the program, at least execve, and with a command the few calls of the shell that becomes it are among the others.

A profile is made of names, for programs of 64 bits. The calls of 32-bit programs, which have other numbers, are listed with "(32-bit)" behind the name; they are not in the profile, and neither are calls that have no name here, which a warning says. With an interval each profile is that of one interval.`,
  overhead:
    'About 0.1 µs for each system call of the machine, and 0.3 µs for each that is counted (measured on a busy 2-core virtual machine).',
  options: {
    ...filters,
    pid: { ...filters.pid, summary: 'only this process, and those that it makes' },
    mntns: integer('-m, --mntns <INODE>', 'only this mount namespace, by its inode', {
      set: 'filter_mntns',
      group: 'filter',
      min: 1,
      max: 2 ** 32 - 1,
    }),
    profile: flag('-P, --profile', 'print a seccomp profile (JSON) of all that was seen', {
      group: 'output',
      conflicts: ['json', 'view', 'record'],
    }),
    action: choice('-a, --action <ACTION>', 'what the profile does to other calls; usually errno', [
      'errno',
      'kill',
      'log',
    ]),
  },
  map: 'calls',
  meanings: {
    count: 'how often it was called',
  },
  columns: { mntns: { width: 10 }, comm: {}, syscall: {}, count: {} },
  sort: ['count', 'syscall', 'comm', 'mntns'],
  document(rows, { profile, action = 'errno' }) {
    if (!profile) {
      return undefined;
    }
    const called = [...new Set(rows.map(({ syscall = '' }) => syscall))].sort();
    const names = called.filter((name) => !/^syscall_| /.test(name));
    const others = called.filter((name) => !names.includes(name));
    const content = {
      defaultAction: actions[action],
      architectures: [architecture],
      syscalls: names.length === 0 ? [] : [{ names, action: 'SCMP_ACT_ALLOW' }],
    };
    return {
      document: { format: 'json', content },
      warnings: others.length === 0 ? [] : [`not in the profile: ${others.join(', ')}`],
    };
  },
  examples: {
    '': 'which calls are made, in which mount namespace, until Ctrl-C',
    '-P -p 181': 'the profile that process 181 needs from now on, and what it starts',
    '-P -m 4026532301': 'that of the container with this mount namespace',
    '-P -a log -p 181': 'the same, but other calls would be logged and not fail',
  },
  sample: {
    before: 'What does sleep call? The first ten by name:',
    args: '-s syscall -r 10 -- sleep 1',
    output: `
     MNTNS COMM  SYSCALL         COUNT
4026531832 sleep access              1
4026531832 sleep arch_prctl          1
4026531832 sleep brk                 3
4026531832 sleep clock_nanosleep     1
4026531832 sleep close              19
4026531832 sh    execve              9
4026531832 sleep exit_group          1
4026531832 sleep futex               1
4026531832 sleep getrandom           1
4026531832 sleep mmap               21`,
    after:
      'Nearly all but clock_nanosleep is for loading the program and its libraries. The shell that became sleep looked for it in nine directories. With -P instead of -s and -r these names, and those that follow, are the profile.',
  },
});
