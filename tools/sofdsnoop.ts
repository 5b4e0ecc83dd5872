import bpf from '../bpf/sofdsnoop.bpf.ts';
import { durationOption, filters, flag, nameContains, snoop } from '../lib/tool.ts';

export default snoop(bpf, {
  summary: 'Trace file descriptors that are passed over UNIX sockets.',
  area: 'processes',
  activity: 'Tracing descriptors that are passed',
  description: `
Prints a line for each file descriptor that a process sends or receives with sendmsg(2), sendmmsg(2), recvmsg(2) or recvmmsg(2): the socket with its descriptor and inode, and the number that the passed file has in this process, with its path. All descriptors of a message are shown, in however many pieces they are given; of sendmmsg(2) and recvmmsg(2) those of the first 16 messages.

The descriptors are read when the call returns: what another thread changes or closes meanwhile may be shown wrongly. 32-bit programs, io_uring and pidfds of the other end (SCM_PIDFD) are not seen.`,
  overhead:
    'About 4 to 15 µs for each call that passes descriptors (run time of the programs on a busy 2-core virtual machine); calls that pass none are left out at once.',
  options: {
    ...filters,
    pid: { ...filters.pid, hidden: ['--target_pid'] },
    name: nameContains,
    sent: flag('-s, --send', 'only what is sent', { group: 'filter', set: 'only_sent' }),
    duration: durationOption,
  },
  keep: ({ comm }, { name }) => name === undefined || comm.includes(name),
  meanings: {
    sock: 'file descriptor of the socket',
    fd: 'file descriptor that was passed',
    socket: 'inode of the socket',
  },
  columns: {
    time: { flag: '-T, --timestamp' },
    action: { width: 6 },
    pid: { flag: '-P, --print-pid' },
    tid: {},
    comm: {},
    sock: { header: 'SOCKET', width: 22, align: 'left', text: (fd, { socket }) => `${fd}:socket:[${socket}]` },
    fd: {},
    path: { header: 'NAME', text: (path, { truncated }) => (truncated ? `${path}...` : path) },
  },
  attach: { optional: ['sendmsg__tp', 'sendmmsg__tp', 'recvmsg__tp', 'recvmmsg__tp'] },
  aliases: { fdpass: ['--send'] },
  examples: { '': 'trace all', '-T -n systemd': 'those of commands with systemd in the name, with the time' },
  sample: {
    before: 'A process sends two open files to its child, over a UNIX socket:',
    args: '',
    output: `
ACTION     TID COMM             SOCKET                   FD NAME
SEND     21822 python3          3:socket:[10510268]       5 /etc/hosts
SEND     21822 python3          3:socket:[10510268]       6 /etc/services
RECV     21824 python3          4:socket:[10510269]       5 /etc/hosts
RECV     21824 python3          4:socket:[10510269]       6 /etc/services`,
    after:
      'The sender names its own descriptors, the receiver gets new ones, which have the same numbers here because these were free. ss -x -p tells the two ends of the connection, whose inodes are in brackets.',
  },
});
