import bpf from '../bpf/mptcpify.bpf.ts';
import { commName, filters, KscopeError, lettered, list, mptcpEnabled, snoop } from '../lib/tool.ts';

const most = 64;

export default snoop(bpf, {
  summary: 'Have programs use MPTCP where they ask for TCP.',
  area: 'network',
  activity: 'Making TCP sockets speak MPTCP',
  description: `
As long as it runs, what a program gets that asks for a TCP socket, of IPv4 or IPv6, is one for Multipath TCP, and a line is printed for it. This changes what programs do: everything else that kscope has only looks. Sockets that were made keep their protocol when it ends, and later ones are TCP again.

MPTCP falls back to TCP when the other side does not speak it. Still there are programs that do not get along with it, since some socket options of TCP do not work; so it is better to name those that shall use it. Without any, and without a filter, all do.

The function update_socket_protocol of the kernel is there for that (6.6), and its result is replaced (fmod_ret). It does not start where MPTCP is turned off (net.mptcp.enabled): programs would get no socket at all then. That is asked for the network namespace in which it starts; in others where it is turned off programs get an error instead of a socket.`,
  overhead:
    '3.7 µs for each socket that is made (run time of the program for 6,000 sockets, of which it changed 3,000, in an emulated guest with Linux 7.3, some times slower than a machine). Connections have no part in that, but MPTCP has costs of its own.',
  options: {
    ...filters,
    tid: lettered(filters.tid),
    targets: list(
      '-t, --targets <NAMES>',
      'only commands of these names, of which the first 15 bytes count',
      (name) => name,
      {
        group: 'filter',
      },
    ),
  },
  columns: {
    time: { flag: '-T, --timestamp' },
    uid: { flag: '-U, --print-uid' },
    pid: {},
    comm: {},
    ip: { header: 'IP', width: 2 },
  },
  attach: { lacks: () => (mptcpEnabled() ? undefined : 'MPTCP, or it is turned off: net.mptcp.enabled') },
  prepare: (object, { targets = [] }) => {
    if (targets.length > most) {
      throw new KscopeError('usage', `${targets.length} names are too many: ${most} can be told apart`);
    }
    object.globals.set('only_targets', targets.length > 0);
  },
  loaded: (object, { targets = [] }) => {
    for (const name of targets) {
      object.map('targets').set({ comm: commName(name) }, 1);
    }
  },
  examples: {
    '-t iperf3,curl': 'two programs, by the names of their commands',
    '-u 1000': 'all programs of a user',
    '': 'everything that asks for TCP from now on',
  },
  sample: {
    before: 'A small web server is started, and a client gets its list of files:',
    args: '-T -t python3,curl',
    output: `
TIME         PID COMM             IP
21:38:43     945 python3           4
21:38:46     947 curl              4`,
    after:
      'Each asked for a socket of TCP and got one of MPTCP: a line for each socket. Both sides have to speak it, or else the connection goes back to TCP; that is why the server is named as well.',
  },
});
