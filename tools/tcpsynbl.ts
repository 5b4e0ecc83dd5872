import bpf from '../bpf/tcpsynbl.bpf.ts';
import { familyFilters, histogram, portFilters } from '../lib/tool.ts';

export default histogram(bpf, {
  summary: 'Summarize how many TCP connections wait to be accepted.',
  area: 'network',
  activity: 'Tracing how many connections wait to be accepted',
  description: `
Whenever a client has completed the handshake, the number of connections that already wait for accept(2) at the listening socket is added to a distribution. There is one for each limit that listening sockets have: what listen(2) asked for, cut to net.core.somaxconn. A connection that finds more than the limit waiting is not made, and the client tries again. Values near the limit mean that the process accepts too slowly.

The name is an old one: SYNs that wait for the end of their handshake are not counted, only what comes after, and neither is a SYN that is refused at once because the queue is full already.

The kernel's functions for that are used (tcp_v4_syn_recv_sock and tcp_v6_syn_recv_sock, by fentry or kprobe). Where they cannot be hooked, the new connection's change to ESTABLISHED tells how long the queue was; handshakes that found no room are then seen only where the kernel gives that as its reason to drop a packet (TCP_LISTEN_OVERFLOW, which 6.18 has). An IPv4 connection to an IPv6 socket is one of IPv4, and counts once.`,
  overhead:
    'About 0.1 µs for each change of state of a TCP socket (measured on a 2-core virtual machine, with the tracepoints), of which a connection has several. The hooks on functions run once for each connection that comes in.',
  options: {
    ...familyFilters,
    localPorts: portFilters.localPorts,
  },
  map: 'hists',
  unit: () => ({ name: 'backlog', size: 1 }),
  meanings: {
    backlog_max: 'how many connections may wait',
  },
  keys: { backlog_max: {} },
  attach: {
    either: [
      ['v4__fentry', 'v6__fentry'],
      ['v4__kprobe', 'v6__kprobe'],
      ['sock_state__tp_btf', 'overflown__tp_btf'],
    ],
  },
  examples: {
    '': 'all listening sockets, until Ctrl-C',
    '-T -L 80,443 1': 'those of a web server, each second, with the time',
  },
  sample: {
    before:
      'Twelve clients connect, one after the other, to a server that is too busy to accept any of them. It said listen(fd, 16):',
    args: '-L 9090',
    output: `
backlog_max = 16
        backlog           : count    distribution
         0 -> 1          : 2        |********************                    |
         2 -> 3          : 2        |********************                    |
         4 -> 7          : 4        |****************************************|
         8 -> 15         : 4        |****************************************|`,
    after:
      'The first client found nobody waiting before it, the last one eleven: still fewer than the limit of 16, beyond which clients are not let in. A server that keeps up has all its counts in the first line.',
  },
});
