import bpf from '../bpf/tcpconnlat.bpf.ts';
import { atLeastMilliseconds, familyFilters, filters, flag, snoop } from '../lib/tool.ts';

export default snoop(bpf, {
  summary: 'Trace how long TCP connections take to be made.',
  area: 'network',
  activity: 'Tracing the latency of TCP connects',
  description: `
Prints a line for each TCP connection that a process asked for, when the other side has answered or the attempt has ended. The latency is the time from connect(2) until the kernel has taken the answer: a round trip of the network and the work of both kernels. It is not the time until the other process accepts, and a name was looked up before.

An attempt that failed has the reason in ERR, such as ECONNREFUSED or ETIMEDOUT; its latency is the time until then. One that the process gave up itself has no error; its field abandoned is true. Attempts that sent nothing, for want of a route or a port, are not shown.`,
  overhead:
    'About 0.2 µs for each change of state of a TCP socket (measured on a 2-core virtual machine), where making a connection takes tens of microseconds: not measurable in practice.',
  options: {
    ...filters,
    ...familyFilters,
    minimum: atLeastMilliseconds('[min_ms]', 'connections that took', 'min_latency'),
    lport: flag('-L, --lport', 'show the local port', { group: 'column' }),
  },
  columns: {
    time: { flag: '-T, --timestamp' },
    pid: {},
    comm: { width: 12 },
    ip: { header: 'IP', width: 2 },
    saddr: {},
    lport: { when: 'lport' },
    daddr: {},
    dport: {},
    latency: { header: 'LAT(ms)', text: (latency) => (latency / 1e6).toFixed(2) },
    error: { header: 'ERR' },
  },
  examples: {
    '': 'trace every connection',
    '-T 100': 'trace connections that took 100 ms or more, with the time',
    '-p 181 0.5': 'trace what took process 181 half a millisecond or more',
  },
  sample: {
    before: 'Two programs are started, one for a server that is there and one for a port where nobody listens:',
    args: '--comm curl',
    output: `
    PID COMM         IP SADDR           DADDR           DPORT  LAT(ms) ERR
  25935 curl          4 127.0.0.1       127.0.0.1        8080     0.07 -
  25953 curl          4 127.0.0.1       127.0.0.1        8081     0.09 ECONNREFUSED`,
    after:
      'The first handshake took 0.07 ms, since it did not leave the machine; elsewhere this is about the round-trip time, and more means that a SYN was lost or that the other side was slow. The second attempt was answered as fast, with a refusal.',
  },
});
