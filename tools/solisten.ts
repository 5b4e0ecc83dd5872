import bpf from '../bpf/solisten.bpf.ts';
import { familyFilters, filters, namespaceFilters, snoop } from '../lib/tool.ts';

export default snoop(bpf, {
  summary: 'Trace TCP sockets that processes listen on: listen(2).',
  area: 'network',
  activity: 'Tracing listen(2) on TCP sockets',
  description: `
Prints a line for each listen(2) on a TCP socket when it returns, also when it fails, and when it only changes the backlog of a socket that listens already. The backlog is the one in force: the system limits what was asked for to net.core.somaxconn. After a failure it is what was asked for. An IPv6 socket is shown as such, although it may take IPv4 connections.

Sockets of other protocols, as of MPTCP, are not shown, and neither is what io_uring does on behalf of a process.`,
  overhead:
    'About 0.9 µs for each listen(2) (run time of the programs on a busy 2-core virtual machine), which a server does once.',
  options: { ...filters, ...familyFilters, ...namespaceFilters },
  meanings: {
    addr: 'IP address that the socket listens at',
    port: 'port that the socket listens at',
    backlog: 'backlog that is in force; that was asked for if the call failed',
  },
  columns: {
    time: { flag: '-T, --timestamp' },
    pid: {},
    comm: {},
    netns: { flag: '-N, --print-netns', hidden: ['--show-netns'] },
    error: { header: 'RET', width: 10 },
    backlog: { header: 'BACKLOG', width: 7 },
    ip: { header: 'PROTO', width: 5, text: (ip) => `TCPv${ip}` },
    port: {},
    addr: { header: 'ADDR' },
  },
  examples: {
    '': 'trace all',
    '-T --pid-netns 181': 'trace what happens in the network namespace of process 181, with the time',
  },
  sample: {
    before: 'A web server is started:',
    args: '--comm python3',
    output: `
    PID COMM             RET        BACKLOG PROTO  PORT ADDR
  25969 python3          -                5 TCPv4  8082 127.0.0.1`,
    after:
      'It listens only at the loopback address, and five connections can wait until it accepts them. RET would be the error if the call had failed.',
  },
});
