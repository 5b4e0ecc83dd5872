import bpf from '../bpf/flows.bpf.ts';
import {
  familyFilters,
  filters,
  flag,
  namespaceFilters,
  top,
  trafficColumns,
  trafficPlans,
  trafficTotal,
} from '../lib/tool.ts';

export default top(bpf, {
  summary: 'Show who talks to whom over TCP and UDP, by peer and port.',
  area: 'network',
  activity: 'Tracing who talks to whom',
  description: `
Shows with whom each process talks: a line for each other address, with the port that matters. That is the own port where the other side began (IN), and the other one's where the process did (OUT), so that a thousand connections to one server are one line. CONNS is how many TCP connections the process began, also in vain, or accepted. Bytes are exactly those that its system calls returned. Packets are those of UDP: calls, that is, of which one may move several datagrams (UDP_SEGMENT and UDP_GRO). The time of the first and of the last call is in the fields "first" and "last" (-w), as far as it was traced.

Of TCP, who began is told by the socket, also where the connection was there before: an accepted one is a copy of the one that listened. One that was accepted after listen(2) with a backlog of 0 is shown as OUT. UDP does not say who began: a connected socket is OUT; one that is not, and whose port was chosen by bind(2), is IN; any other one OUT. A socket that is not connected has no remote address: what it exchanges with all others is one line. An IPv4 connection over an IPv6 socket is shown as IPv4.

The command is that of the process's first thread. Traffic within the machine has two lines, one for each end. Connections accepted through io_uring are not counted, but what goes through them is. No policies are written: the lines say what was, not what is meant to be. What else is not seen is said in the manual page of tcptop.

16384 flows are remembered; when there are more, those that were quiet for longest are forgotten.`,
  overhead:
    'About 0.65 µs for each call that sends or receives, and 1 to 3 µs for each connection (run time of the programs on a busy 2-core virtual machine), with the tracepoints.',
  options: {
    ...filters,
    ...familyFilters,
    ...namespaceFilters,
    byCommand: flag('--by-command', 'all processes of the same command together', { set: 'by_command' }),
    wide: flag('-w, --wide', 'show packets, and the time of the first and of the last call', { group: 'column' }),
  },
  map: 'flows',
  columns: {
    pid: {},
    comm: {},
    direction: { header: 'DIR', width: 3 },
    transport: { header: 'PROT', width: 4 },
    daddr: { header: 'RADDR', width: 15 },
    lport: {},
    dport: { header: 'RPORT' },
    connections: { header: 'CONNS', width: 6 },
    rx: trafficColumns.rx,
    tx: trafficColumns.tx,
    rx_packets: { header: 'RX_PKTS', width: 7, when: 'wide' },
    tx_packets: { header: 'TX_PKTS', width: 7, when: 'wide' },
    first: { when: 'wide' },
    last: { when: 'wide' },
    netns: { flag: '--print-netns', summary: 'show the network namespace', width: 10 },
  },
  computed: { total: trafficTotal },
  sort: ['total', 'connections', 'rx', 'tx', 'rx_packets', 'tx_packets', 'last'],
  attach: { ...trafficPlans, optional: [...trafficPlans.optional, 'accept__tp', 'accept4__tp'] },
  examples: {
    '': 'all flows, when Ctrl-C is pressed',
    '-T 10': 'those of each 10 seconds, with the time',
    '-s connections --by-command': 'by command, those with the most connections first',
    '--json -4': 'all of IPv4, as JSON: for programs that write policies',
  },
  sample: {
    before:
      'Five programs get a file of 20 KB from a web server, one after the other, and a sixth tries a port where nobody listens; 50 questions of 100 bytes over UDP get answers of 400:',
    args: '--by-command',
    output: `
PID COMM    DIR PROT RADDR     LPORT RPORT CONNS RX_KB TX_KB
  - python3 IN  TCP  127.0.0.1  8080     -     5   0.4    99
  - curl    OUT TCP  127.0.0.1     -  8080     5    99   0.4
  - python3 IN  UDP  -          9053     -     0     5    20
  - python3 OUT UDP  127.0.0.1     -  9053     0    20     5
  - curl    OUT TCP  127.0.0.1     -  8081     1     0     0`,
    after:
      'Five connections are one line at each end; without --by-command each curl would have its own. The last line is the attempt that failed: nothing went through it. The UDP server does not connect its socket, so it is not known whom it answered.',
  },
});
