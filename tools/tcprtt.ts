import bpf from '../bpf/tcprtt.bpf.ts';
import {
  accepted,
  durationOption,
  familyFilters,
  flag,
  histogram,
  integer,
  milliseconds,
  seconds,
  text,
  units,
} from '../lib/tool.ts';

const filter = { group: 'filter' } as const;
const port = { ...filter, min: 1, max: 65535 } as const;

export default histogram(bpf, {
  summary: 'Summarize the round-trip times of TCP connections.',
  area: 'network',
  activity: 'Tracing TCP round-trip times',
  description: `
Whenever a segment comes for an established connection (tcp:tcp_probe), the smoothed round-trip time that the kernel knows by then is added to the distribution. So this is not one value for each measurement of the kernel: what a connection that receives much has counts often, and a connection that receives nothing does not count at all. It is the time to the other kernel and back, without the processes.

Segments come in interrupts: there is no process to show or to filter by. An IPv4 connection over an IPv6 socket is an IPv4 connection here.`,
  overhead:
    'About 0.3 µs for each segment that comes (measured on a 2-core virtual machine), where taking one takes several.',
  options: {
    lport: integer('-p, --lport <PORT>', 'only this local port', { ...port, set: 'filter_lport', hidden: ['--sport'] }),
    rport: integer('-P, --rport <PORT>', 'only this remote port', {
      ...port,
      set: 'filter_rport',
      hidden: ['--dport'],
    }),
    laddr: text('-a, --laddr <ADDRESS>', 'only this local address', { ...filter, set: 'filter_laddr' }),
    raddr: text('-A, --raddr <ADDRESS>', 'only this remote address', { ...filter, set: 'filter_raddr' }),
    ...familyFilters,
    byLocal: flag('-b, --byladdr', 'each local address apart', { set: 'by_laddr' }),
    byRemote: flag('-B, --byraddr', 'each remote address apart', { set: 'by_raddr' }),
    milliseconds: { ...milliseconds, hidden: ['--ms'] },
    debug: accepted('-D, --debug'),
    interval: seconds('-i, --interval <SECONDS>', 'seconds between outputs', { group: 'output' }),
    duration: durationOption,
  },
  map: 'hists',
  unit: ({ milliseconds }) => (milliseconds ? units.msecs : units.usecs),
  meanings: {
    raddr: 'IP address of the other end',
  },
  keys: {
    laddr: { header: 'local address', when: ['byLocal'] },
    raddr: { header: 'remote address', when: ['byRemote'] },
  },
  examples: {
    '': 'all connections, until Ctrl-C',
    '-i 1 -d 10 -m': 'each second, for 10 seconds, in milliseconds',
    '-B -e -P 443': 'what is far away: each server apart, with averages',
    '-p 80 -A 192.0.2.7': 'what one client of a web server has',
  },
  sample: {
    before: 'A client gets a file of 3 MB from a web server whose link carries 20 Mbit a second:',
    args: '-p 8080 -e',
    output: `
          usecs           : count    distribution
         0 -> 1          : 0        |                                        |
         2 -> 3          : 0        |                                        |
         4 -> 7          : 0        |                                        |
         8 -> 15         : 0        |                                        |
        16 -> 31         : 4        |                                        |
        32 -> 63         : 0        |                                        |
        64 -> 127        : 0        |                                        |
       128 -> 255        : 0        |                                        |
       256 -> 511        : 1        |                                        |
       512 -> 1023       : 2        |                                        |
      1024 -> 2047       : 2        |                                        |
      2048 -> 4095       : 15       |                                        |
      4096 -> 8191       : 754      |****************************************|
      8192 -> 16383      : 263      |*************                           |

avg = 7208 usecs, total: 7503863 usecs, count: 1041, p50 = 6793, p90 = 13141, p99 = 16060`,
    after:
      'The first segments took some 20 microseconds there and back; when the queue of the link was full, thousands. So the way is short and the queue is long: qdisclat shows how long packets wait in it, and without the limit of the link the same file took 23 microseconds on average.',
  },
});
