import bpf from '../bpf/udptop.bpf.ts';
import { familyFilters, filters, lettered, top, trafficColumns, trafficPlans, trafficTotal } from '../lib/tool.ts';

export default top(bpf, {
  summary: 'Show who sends and receives how much through which UDP socket.',
  area: 'network',
  activity: 'Tracing what UDP sockets send and receive',
  description: `
Shows, for each interval, how much each process has sent and received through each of its UDP sockets: exactly the bytes that its system calls returned, and how many calls these were. That is one for each datagram, but for segmentation that is left to the kernel (UDP_SEGMENT and UDP_GRO), where one call moves several, and for a datagram sent in parts (MSG_MORE). What a call only looked at (MSG_PEEK) is not counted. A datagram that was sent may still get lost.

A socket that is not connected has no remote address: all that it exchanges with others is one line. An IPv4 connection over an IPv6 socket is shown as IPv4; an IPv6 socket that is not connected counts as IPv6, whatever it speaks.

The kernel's own tracepoints are used where it has them (sock:sock_send_length and sock:sock_recv_length, 6.3), or else the return of inet_sendmsg, inet_recvmsg and their IPv6 twins, by fexit or kprobe. What io_uring receives without a copy and what the kernel itself exchanges, as for tunnels, is not seen.`,
  overhead:
    'About 0.5 to 1 µs for each call that sends or receives (run time of the programs on a busy 2-core virtual machine), with the tracepoints.',
  options: {
    ...filters,
    cgroup: lettered(filters.cgroup, 'c'),
    ...familyFilters,
  },
  map: 'sockets',
  meanings: {
    rx: 'bytes received',
    tx: 'bytes sent',
    tx_packets: 'datagrams sent',
    rx_packets: 'datagrams received',
  },
  columns: {
    ...trafficColumns,
    rx_packets: { header: 'RX_PKTS', width: 7 },
    tx_packets: { header: 'TX_PKTS', width: 7 },
  },
  computed: { bytes: trafficTotal },
  sort: ['bytes', 'rx', 'tx', 'rx_packets', 'tx_packets'],
  sortAliases: { all: 'bytes', received: 'rx', sent: 'tx' },
  rows: 20,
  interval: 1,
  screen: true,
  attach: trafficPlans,
  examples: {
    '': 'the busiest sockets, each second',
    '-C 5': 'each 5 seconds, one table below the other',
    '-p 181 -s tx_packets': 'what process 181 sends, the most datagrams first',
  },
  sample: {
    before: 'A client sends 50 questions of 100 bytes to a server, and gets answers of 400; both are on this machine:',
    args: '-C 1 1',
    output: `
20:51:42 loadavg: 12.19 14.87 12.78 12/195 23663
  PID COMM    LADDR           RADDR          RX_KB TX_KB RX_PKTS TX_PKTS
23573 python3 192.0.2.2:9053  -                  5    20      50      50
23649 python3 192.0.2.1:53951 192.0.2.2:9053    20     5      50      50`,
    after:
      "The server's socket is not connected, so it has no remote address: it may have answered many clients. Numbers of kB and of datagrams together tell how big these are: 100 and 400 bytes here.",
  },
});
