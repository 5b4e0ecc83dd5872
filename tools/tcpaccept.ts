import bpf from '../bpf/tcpaccept.bpf.ts';
import { familyFilters, filters, list, parseInteger, snoop } from '../lib/tool.ts';

export default snoop(bpf, {
  summary: 'Trace TCP connections that processes accept: accept(2).',
  area: 'network',
  activity: 'Tracing accepted TCP connections',
  description: `
Prints a line for each TCP connection that a process takes from a listening socket, when it does: the handshake was completed earlier. The process is the one that accepts. A connection that waits in vain to be accepted is not shown. An IPv4 connection over an IPv6 socket is shown as IPv4.

With --backlog a line has how many connections waited to be accepted when this one was made, and how many may: what listen(2) asked for, cut to net.core.somaxconn. One that finds more than that waiting is not made.

The hook is the return of inet_csk_accept, by fexit or kprobe, or where the kernel allows neither the return of accept(2) and accept4(2): there, connections accepted by io_uring are not seen.`,
  overhead:
    'About 1.2 µs for each accepted connection (measured on a 2-core virtual machine, with the hooks on system calls), where making a connection takes tens.',
  options: {
    ...filters,
    ports: list('-P, --port <PORTS>', 'only these local ports', (port) => parseInteger(port, 1, 65535), {
      set: 'filter_lports',
      group: 'filter',
    }),
    ...familyFilters,
  },
  meanings: {
    backlog: 'how many connections waited when this one was made',
    backlog_max: 'how many may wait',
  },
  columns: {
    time: { flag: '-T, --timestamp' },
    pid: {},
    comm: { width: 12 },
    ip: { header: 'IP', width: 2 },
    daddr: { header: 'RADDR' },
    dport: { header: 'RPORT' },
    saddr: { header: 'LADDR' },
    lport: {},
    backlog: {
      header: 'BL',
      width: 9,
      flag: '-b, --backlog',
      summary: 'show how many connections waited before it, and the limit',
      text: (backlog, { backlog_max }) => `${backlog}/${backlog_max}`,
    },
  },
  attach: {
    either: [['accept__fexit'], ['accept__kretprobe'], ['accept__tp', 'accept4__tp']],
  },
  examples: {
    '': 'trace all accepted connections',
    '-T -P 80,443': 'trace those of a web server, with the time',
    '-b -P 80': 'whether a web server accepts as fast as clients come',
    '-p 181': 'trace what process 181 accepts',
  },
  sample: {
    before: 'A client connects to a web server:',
    args: '-P 8080',
    output: `
    PID COMM         IP RADDR           RPORT LADDR           LPORT
  25173 python3       4 127.0.0.1       49936 127.0.0.1        8080`,
    after: 'The process is the server, which took the connection of the client at port 49936.',
  },
});
