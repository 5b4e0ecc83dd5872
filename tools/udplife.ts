import bpf from '../bpf/udplife.bpf.ts';
import {
  familyFilters,
  filters,
  flag,
  portFilters,
  sessionColumns,
  sessionDuration,
  snoop,
  trafficPlans,
} from '../lib/tool.ts';

export default snoop(bpf, {
  summary: 'Trace UDP sockets: how long they lived and how much they carried.',
  area: 'network',
  activity: 'Tracing the end of UDP sockets',
  description: `
Prints a line when a UDP socket that was made while tracing is closed, with the time that it lived and what was sent and received through it, by whichever process: exactly the bytes that system calls returned, and how many calls these were. What is one call and one datagram, and what is not seen, is said in the manual page of udptop. A datagram that was sent may still get lost, and one that came may never have been read.

UDP has no sessions: a socket that is not connected may have talked to anybody, and has no remote address. An IPv4 conversation over an IPv6 socket is shown as IPv4 where the socket is connected.

The process is the one that made the socket with socket(2), also where another has closed it. Sockets that io_uring makes, or the kernel for itself, are not seen. The end is the beginning of inet_release, by fentry or kprobe, or else the kernel's hook for cgroups there: where only that can be used, sockets are seen of the cgroups (v2) that are below the mounted one.`,
  overhead:
    'About 0.14 µs for each call that sends or receives, and 1.1 µs for each socket (measured on a 2-core virtual machine, with the tracepoints).',
  options: {
    ...filters,
    ...familyFilters,
    ...portFilters,
    wide: flag('-w, --wide', 'show the IP version and the number of packets', { group: 'column' }),
  },
  meanings: {
    rx: 'bytes received',
    tx: 'bytes sent',
    tx_packets: 'datagrams sent',
    rx_packets: 'datagrams received',
  },
  columns: {
    ...sessionColumns,
    tx_packets: { header: 'TX_PKTS', width: 7, when: 'wide' },
    rx_packets: { header: 'RX_PKTS', width: 7, when: 'wide' },
    duration: sessionDuration,
  },
  attach: trafficPlans,
  examples: {
    '': 'trace all sockets that are closed',
    '-T -D 53': 'who asks a name server, and how long it takes',
    '-w -p 181': 'the sockets of process 181, with the number of packets',
  },
  sample: {
    before: 'A client sends 50 questions of 100 bytes to a server, and gets answers of 400:',
    args: '-D 9053',
    output: `
    PID COMM       LADDR           LPORT RADDR           RPORT  TX_KB  RX_KB     MS
  18724 python3    192.0.2.1       50492 192.0.2.2        9053   4.88  19.53  11.72`,
    after:
      'The socket lived for 11.7 ms, in which the client sent 4.88 KiB and received four times as much. With -w there are the numbers of datagrams, too.',
  },
});
