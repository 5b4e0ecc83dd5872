import bpf from '../bpf/tcpstates.bpf.ts';
import { csvOption, endColumns, familyFilters, filters, flag, lettered, portFilters, snoop } from '../lib/tool.ts';

export default snoop(bpf, {
  summary: 'Trace the states of TCP sockets and how long each lasted.',
  area: 'network',
  activity: 'Tracing changes of TCP states',
  description: `
Prints a line for each change of state of a TCP socket, with the time that the socket spent in the state before. The time is left out where the beginning of that state was not seen.

Most changes are made by packets and timers, in the name of whatever runs at that time. So the process is the one that connected, listened, accepted or closed: it is left out while none of these has been seen. A connection that comes in is known to belong to somebody from accept(2) on. With a filter for processes, changes of unknown owners are not shown.

An incoming connection has its remote address only from its second change of state on.

Into the journal of systemd it goes by 'tcpstates --json | systemd-cat -t tcpstates'.`,
  overhead:
    'About 0.5 µs for each change of state and 0.4 µs for each accept(2) (measured on a 2-core virtual machine): 3 µs for each end of a connection, where making one takes tens.',
  options: {
    ...filters,
    ...familyFilters,
    ...portFilters,
    csv: lettered(csvOption, 's'),
    wide: flag('-w, --wide', 'show the IP version', { group: 'column' }),
  },
  meanings: {
    oldstate: 'state before',
    newstate: 'state after',
    skaddr: 'socket, by its address in the kernel',
  },
  columns: {
    time: { flag: '-T, --timestamp' },
    skaddr: { width: 16, text: (address) => address.slice(2) },
    pid: { header: 'PID' },
    comm: { width: 12 },
    ip: { header: 'IP', width: 2, when: 'wide' },
    ...endColumns,
    oldstate: { width: 11 },
    newstate: { width: 11 },
    duration: { header: 'MS', width: 6, text: (duration) => (duration / 1e6).toFixed(3) },
  },
  attach: { optional: ['accept__tp', 'accept4__tp'] },
  examples: {
    '': 'trace all changes of state',
    '-T -L 80,443': 'trace the sockets of a web server, with the time',
    '-D 5432 -p 181': 'trace the connections of process 181 to a database',
  },
  sample: {
    before: 'The same client, on its way through the states:',
    args: '-D 8080 --fields comm,lport,dport,oldstate,newstate,duration',
    output: `
COMM         LPORT RPORT OLDSTATE    NEWSTATE        MS
curl             -  8080 CLOSE       SYN_SENT         -
curl         49936  8080 SYN_SENT    ESTABLISHED  0.080
curl         49936  8080 ESTABLISHED CLOSE_WAIT  108.755
curl         49936  8080 CLOSE_WAIT  LAST_ACK    22.423
curl         49936  8080 LAST_ACK    CLOSE        0.082`,
    after:
      'The handshake took 0.08 ms. After 109 ms the server closed its side, and it took the client 22 ms to close its own. MS is the time in the state on the left. At the first step the local port is not yet chosen.',
  },
});
