import bpf from '../bpf/tcptop.bpf.ts';
import { familyFilters, filters, lettered, top, trafficColumns, trafficPlans, trafficTotal } from '../lib/tool.ts';

export default top(bpf, {
  summary: 'Show who sends and receives how much on which TCP connection.',
  area: 'network',
  activity: 'Tracing what TCP sockets send and receive',
  description: `
Shows, for each interval, how much each process has sent and received on each of its TCP connections: exactly the bytes that its system calls returned. What a call asked for and did not get is not counted, neither is what it only looked at (MSG_PEEK), and nothing that TCP itself adds or sends again. An IPv4 connection over an IPv6 socket is shown as IPv4.

The kernel's own tracepoints are used where it has them (sock:sock_send_length and sock:sock_recv_length, 6.3), or else the return of inet_sendmsg, inet_recvmsg and their IPv6 twins, by fexit or kprobe. What splice(2) takes out of a socket is only seen by fexit or kprobe on tcp_splice_read. Memory that is received without a copy, with TCP_ZEROCOPY_RECEIVE or by io_uring, is not seen, and neither is what the kernel reads on behalf of others, for one by a sockmap.

16384 connections are remembered; when there are more in one interval, those that were quiet for longest are forgotten.`,
  overhead:
    'About 0.35 µs for each call that sends or receives (measured on a 2-core virtual machine, with the tracepoints): a few per cent of what such a call takes.',
  options: {
    ...filters,
    cgroup: lettered(filters.cgroup, 'c'),
    ...familyFilters,
  },
  map: 'connections',
  meanings: {
    rx: 'bytes received',
    tx: 'bytes sent',
  },
  columns: {
    ...trafficColumns,
  },
  computed: { bytes: trafficTotal },
  sort: ['bytes', 'rx', 'tx'],
  sortAliases: { all: 'bytes', received: 'rx', sent: 'tx' },
  rows: 20,
  interval: 1,
  screen: true,
  attach: trafficPlans,
  examples: {
    '': 'the busiest connections, each second',
    '-C 5': 'each 5 seconds, one table below the other',
    '-p 181 -s tx': 'what process 181 sends, the most first',
  },
  sample: {
    before: 'A client gets a file of 3 KB from a web server:',
    args: '-C -S -p 25173 3600',
    output: `
  PID COMM    LADDR          RADDR           RX_KB TX_KB
25173 python3 127.0.0.1:8080 127.0.0.1:49936   0.1     3`,
    after:
      'What is printed after Ctrl-C is the sum since the last table: the server received a request of 0.1 KiB and sent 3 KiB.',
  },
});
