import bpf from '../bpf/tcprtt.bpf.ts';
import { accepted, commonOptions, familyFilters, flag, histogram, integer, seconds, text, units } from '../lib/tool.ts';

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
    milliseconds: flag('-m, --milliseconds', 'print times in milliseconds', { hidden: ['--ms'] }),
    debug: accepted('-D, --debug'),
    interval: seconds('-i, --interval <SECONDS>', 'seconds between outputs', { group: 'output' }),
    duration: { ...commonOptions.duration, flags: '-d, --duration <SECONDS>' },
  },
  map: 'hists',
  unit: ({ milliseconds }) => (milliseconds ? units.msecs : units.usecs),
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
});
