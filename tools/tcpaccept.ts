import bpf from '../bpf/tcpaccept.bpf.ts';
import { familyFilters, filters, list, parseInteger, snoop } from '../lib/tool.ts';

export default snoop(bpf, {
  summary: 'Trace TCP connections that processes accept: accept(2).',
  activity: 'Tracing accepted TCP connections',
  description: `
Prints a line for each TCP connection that a process takes from a listening socket, when it does: the handshake was completed earlier. The process is the one that accepts. A connection that waits in vain to be accepted is not shown. An IPv4 connection over an IPv6 socket is shown as IPv4.

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
  columns: {
    time: { flag: '-T, --timestamp' },
    pid: {},
    comm: { width: 12 },
    ip: { header: 'IP', width: 2 },
    daddr: { header: 'RADDR' },
    dport: { header: 'RPORT' },
    saddr: { header: 'LADDR' },
    lport: {},
  },
  attach: {
    either: [['accept__fexit'], ['accept__kretprobe'], ['accept_call__tp', 'accept4_call__tp']],
  },
  examples: {
    '': 'trace all accepted connections',
    '-T -P 80,443': 'trace those of a web server, with the time',
    '-p 181': 'trace what process 181 accepts',
  },
});
