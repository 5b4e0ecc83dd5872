import bpf from '../bpf/setuids.bpf.ts';
import { failedOnly, filters, snoop } from '../lib/tool.ts';

/** What the arguments are called, by how many there are. */
const names = [[], ['id'], ['real', 'effective'], ['real', 'effective', 'saved']] as const;

export default snoop(bpf, {
  summary: 'Trace the system calls that change the user or group of a thread.',
  area: 'processes',
  activity: 'Tracing changes of user and group',
  description: `
Prints a line for each call of setuid(2), setreuid(2), setresuid(2), setfsuid(2) and of their twins for groups, when it returns: the numbers that it asked for, -1 for those that shall stay, and the error if it failed. UID is the real user afterwards. setfsuid and setfsgid do not fail: RET is the number that was there before.

A program with the set-user-ID bit changes the user without such a call, and a new user namespace the meaning of the numbers, which are those of the caller's. The C library makes the call once for each thread of the process.`,
  overhead:
    'About 3 µs for each of these calls, which are rare (measured on a busy 2-core virtual machine); nothing for others.',
  options: { ...filters, failed: failedOnly },
  meanings: {
    ids: 'arguments of the call; -1: none, or not to be changed',
    count: 'number of arguments that the call has',
    ret: 'what the call returned',
  },
  computed: {
    request: {
      type: 'text_t',
      help: 'what the call asked for',
      value: ({ ids, count }) => (names[count] ?? []).map((name, i) => `${name}=${ids[i]}`).join(' '),
    },
  },
  columns: {
    time: {},
    pid: {},
    comm: {},
    uid: {},
    syscall: { width: 10 },
    request: { header: 'ARGS', width: 36 },
    ret: { width: 7 },
    error: { header: 'ERR' },
  },
  examples: {
    '': 'trace all changes',
    '-x': 'trace what was refused',
    '-p 181 --json': 'trace process 181 for another program',
  },
  sample: {
    before: 'setpriv becomes another user, and then root again, which is refused; su becomes nobody:',
    args: '--fields pid,comm,uid,syscall,request,ret,error',
    output: `
    PID COMM                 UID SYSCALL    ARGS                                     RET ERR
  30285 setpriv            65534 setresuid  real=65534 effective=65534 saved=65534       0 -
  30285 setpriv            65534 setresgid  real=65534 effective=65534 saved=65534       0 -
  30285 setpriv            65534 setresuid  real=0 effective=0 saved=0                -1 EPERM
  30287 su                     0 setgid     id=65534                                   0 -
  30287 su                 65534 setuid     id=65534                                   0 -`,
    after:
      'UID is the user after the call. Whoever gave up all three ids cannot go back, as EPERM shows. su changes the group first, since as another user it could not do it any more.',
  },
});
