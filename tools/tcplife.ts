import bpf from '../bpf/tcplife.bpf.ts';
import {
  csvOption,
  familyFilters,
  filters,
  flag,
  lettered,
  portFilters,
  sessionColumns,
  sessionDuration,
  snoop,
} from '../lib/tool.ts';

export default snoop(bpf, {
  summary: 'Trace TCP sessions: how long they lasted and how much they carried.',
  area: 'network',
  activity: 'Tracing the end of TCP sessions',
  description: `
Prints a line when a TCP session that began while tracing ends, with its duration and the bytes carried both ways. Bytes sent are those that the other side has acknowledged; bytes received are those that came in order, read or not. Both are exactly the bytes of the data: the SYN and the FIN, which the kernel counts as a byte each, are not among them.

A session begins with the SYN sent, or for an incoming one when its handshake is completed, and ends when the kernel gives up its socket, as sock:inet_sock_set_state tells: a side that closes first has then seen the other side's FIN, and its TIME_WAIT is not part of the session. Attempts to connect that failed are shown with no bytes; their field failed is true.

The process is the one that connected or accepted, or else the one that closed the socket. It is left out where none of these was seen: for a session that was reset before it was accepted. With a filter for processes such sessions are not shown.`,
  overhead:
    'About 0.3 µs for each change of state and 0.4 µs for each accept(2) (measured on a 2-core virtual machine): 2 µs for each end of a connection, where making one takes tens. Data costs nothing.',
  options: {
    ...filters,
    ...familyFilters,
    ...portFilters,
    csv: lettered(csvOption, 's'),
    wide: flag('-w, --wide', 'show the IP version', { group: 'column' }),
  },
  meanings: {
    rx: 'bytes received',
    tx: 'bytes sent',
  },
  columns: {
    ...sessionColumns,
    duration: sessionDuration,
  },
  attach: { optional: ['accept__tp', 'accept4__tp'] },
  examples: {
    '': 'trace all sessions that end',
    '-T -L 80,443': 'trace the sessions of a web server, with the time',
    '-D 5432 -p 181': 'trace the sessions of process 181 with a database',
  },
  sample: {
    before: 'A client gets a file from a web server:',
    args: '-D 8080 --fields comm,lport,daddr,dport,tx,rx,duration',
    output: `
COMM         LPORT RADDR           RPORT  TX_KB  RX_KB     MS
curl         49936 127.0.0.1        8080   0.09   2.95 131.34`,
    after:
      "The client sent 0.09 KiB, its request, and received 2.95 KiB. From its SYN to the end it took 131 ms; tcpstates says in which state most of that was spent. The server's end of the same session is a line of its own, left out here by -D.",
  },
});
