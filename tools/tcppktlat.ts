import bpf from '../bpf/tcppktlat.bpf.ts';
import { endColumns, familyFilters, filters, flag, integer, portFilters, snoop } from '../lib/tool.ts';

export default snoop(bpf, {
  summary: 'Trace how long data waits in TCP sockets until it is read.',
  area: 'network',
  activity: 'Tracing how long TCP data waits',
  description: `
Prints a line when a process reads from a TCP socket, with the time since the oldest data that it had not read came to the socket (tcp:tcp_probe to tcp:tcp_rcv_space_adjust). Long times mean that the process was busy, or had no processor. A process that is already waiting for data reads it at once: then it is the time to wake it up.

What a process leaves in the socket when it reads is not measured again. Data that came before the tracing began, or together with the end of the handshake, is not measured either. The process is the one that reads.`,
  overhead:
    'About 0.5 µs for each segment and 0.7 µs for each read (measured on a 2-core virtual machine), where taking a segment takes several.',
  options: {
    ...filters,
    ...familyFilters,
    localPorts: { ...portFilters.localPorts, flags: '-l, --lport <PORTS>', hidden: ['-L', '--localport'] },
    remotePorts: { ...portFilters.remotePorts, flags: '-r, --rport <PORTS>', hidden: ['-D', '--remoteport'] },
    minimum: integer('[min_us]', 'only data that waited at least this many microseconds', {
      group: 'filter',
      set: 'min_latency',
      encode: (microseconds) => microseconds * 1000,
    }),
    wide: flag('-w, --wide', 'show the IP version', { group: 'column' }),
  },
  columns: {
    time: { flag: '-T, --timestamp' },
    pid: {},
    tid: { header: 'TID' },
    comm: { width: 12 },
    ip: { header: 'IP', width: 2, when: 'wide' },
    ...endColumns,
    latency: { header: 'MS', text: (latency) => (latency / 1e6).toFixed(2) },
  },
  examples: {
    '': 'trace all reads',
    '10000 -l 80': 'trace what waited 10 ms or more for a web server',
    '-T -p 181': 'trace the reads of process 181, with the time',
  },
  sample: {
    before: 'A client gets a file of 3 MB from a web server:',
    args: '-r 8080 --fields pid,comm,saddr,lport,daddr,dport,latency 200',
    output: `
    PID COMM         LADDR           LPORT RADDR           RPORT       MS
  30121 curl         192.0.2.1       40546 192.0.2.2        8080     3.38
  30121 curl         192.0.2.1       40546 192.0.2.2        8080     4.29
  30121 curl         192.0.2.1       40546 192.0.2.2        8080     2.29`,
    after:
      'Of all its reads, three found data that had waited for more than 200 microseconds: for some milliseconds, on a busy machine. The process was slow to read, or had to wait for a processor, which runqslower shows.',
  },
});
