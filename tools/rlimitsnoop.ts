import bpf from '../bpf/rlimitsnoop.bpf.ts';
import { failedOnly, filters, snoop } from '../lib/tool.ts';

const UNLIMITED = 2n ** 64n - 1n;

const limit = (value: bigint, { unread = false }): string =>
  unread ? '-' : value === UNLIMITED ? 'unlimited' : String(value);

export default snoop(bpf, {
  summary: 'Trace the system calls that set resource limits.',
  area: 'processes',
  activity: 'Tracing setrlimit(2) and prlimit(2)',
  description: `
Prints a line for each setrlimit(2), and each prlimit(2) that sets a limit, when it returns: RESOURCE is what is limited, without the RLIMIT_ of its name or as a number if the kernel has no such resource, SOFT and HARD are the limits that were asked for, in the unit of the resource, and ERR says why they were refused. Limits that the call could not read are shown as '-'.

TPID is the process whose limits these are, as the caller gave it, which in a container is a number of its pid namespace; '-' is the caller itself. What the limits were before is not shown. 32-bit programs are not seen.`,
  overhead:
    'About 0.7 µs for each call that sets a limit (run time of the program on a busy 2-core virtual machine); nothing for other system calls.',
  options: { ...filters, failed: failedOnly },
  meanings: {
    tpid: 'process whose limits are set; absent where that is the caller',
    soft: 'soft limit that was asked for; 18446744073709551615 is none',
    hard: 'hard limit that was asked for; 18446744073709551615 is none',
    unread: 'present when soft and hard could not be read',
  },
  columns: {
    time: { flag: '-T, --timestamp' },
    pid: {},
    comm: {},
    tpid: {},
    resource: {},
    soft: { text: limit },
    hard: { text: limit },
    error: { header: 'ERR' },
  },
  examples: {
    '': 'trace all limits that are set',
    '-x': 'trace what was refused',
    '-- su -c true': 'trace which limits su sets',
  },
  sample: {
    before: 'A script with a hard limit of 20,000 files runs ulimit four times, and is told of two errors:',
    args: '--comm bash',
    output: `
    PID COMM                TPID RESOURCE         SOFT       HARD ERR
  24660 bash                   - NOFILE          65536      20000 EINVAL
  24660 bash                   - NOFILE           4096       4096 -
  24660 bash                   - NOFILE          65536      65536 EPERM
  24660 bash                   - CORE        unlimited  unlimited -`,
    after:
      'A soft limit cannot be above the hard one. What ulimit -n 4096 has lowered, both limits, only CAP_SYS_RESOURCE can raise again.',
  },
});
