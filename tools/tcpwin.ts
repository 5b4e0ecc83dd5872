import bpf from '../bpf/tcpwin.bpf.ts';
import { endColumns, familyFilters, flag, portFilters, snoop } from '../lib/tool.ts';

export default snoop(bpf, {
  summary: 'Trace the windows and send buffers of TCP connections.',
  area: 'network',
  activity: 'Tracing the windows of TCP connections',
  description: `
Prints a line whenever a segment comes for an established connection (tcp:tcp_probe), with what decides how much may be sent: the congestion window and the slow start threshold, in segments, and the send buffer with what is queued in it, in bytes. With --wide the segments in flight, the windows that both sides have told each other and the smoothed round-trip time are shown, too. All is as it was before the segment was looked at.

The threshold is left out while there is none, which is until something was lost. What is queued is memory and not data: it has the kernel's own share in it. Segments that a connection only sends have no line, but the answers to them have.

This is what to plot when a connection is slower than its network: a window that stays small was limited by losses, one that is small beside a full buffer is the bottleneck, and an empty buffer means that the process does not send more.`,
  overhead: 'About 0.7 µs for each segment that comes (measured on a 2-core virtual machine); a segment costs several.',
  options: {
    ...familyFilters,
    localPorts: portFilters.localPorts,
    remotePorts: { ...portFilters.remotePorts, hidden: ['-R'] },
    wide: flag('-w, --wide', 'show all there is', { group: 'column' }),
  },
  meanings: {
    snd_wnd: 'bytes that the other side has room for',
    rcv_wnd: 'bytes of room that the other side was told of',
    sndbuf: 'size of the send buffer in bytes',
    wmem_queued: 'bytes of memory that the send buffer takes',
    skaddr: 'socket, by its address in the kernel',
    cwnd: 'congestion window in segments',
    ssthresh: 'threshold of slow start in segments; absent while there is no limit',
    in_flight: 'segments that were sent and that nothing is known of',
  },
  columns: {
    time: {},
    skaddr: { width: 16, text: (address) => address.slice(2), when: 'wide' },
    ...endColumns,
    cwnd: { width: 6 },
    ssthresh: { width: 8 },
    sndbuf: { width: 8, text: String },
    wmem_queued: { header: 'WMEM_Q', width: 8, text: String },
    in_flight: { header: 'FLIGHT', width: 6, when: 'wide' },
    snd_wnd: { width: 8, text: String, when: 'wide' },
    rcv_wnd: { width: 8, text: String, when: 'wide' },
    srtt: { header: 'SRTT_ms', width: 8, text: (srtt) => (srtt / 1e6).toFixed(3), when: 'wide' },
  },
  examples: {
    '': 'trace all connections',
    '-D 5432 --fields time,cwnd,ssthresh,wmem_queued': 'what to plot of connections to a database',
    '-w -L 443 --time relative': 'all there is of those of a web server, by the time since the start',
  },
  sample: {
    before:
      'A client gets a file of 3 MB over a link that carries 20 Mbit a second and drops what its queue has no room for; of the lines of the first 40 ms each fourth is shown:',
    args: '-L 8080 --time relative --fields time,cwnd,ssthresh,in_flight,wmem_queued,srtt',
    output: `
TIME          CWND SSTHRESH FLIGHT   WMEM_Q  SRTT_ms
0.063263        16        -     14    83800    0.029
0.065676        24        -     24   172960    1.242
0.068108        28        -     28   168000    2.947
0.070522        32        -     32   162208    4.495
0.072949        36        -     36   281992    6.056
0.075374        40        -     40   275368    7.974
0.078394        45        -     45   271240    9.425
0.080932        37        -     37   274568   10.165
0.083349        33        -     33   277896   10.632
0.085766        29        -     29   281224   10.902
0.088200        25        -     25   284552   10.983`,
    after:
      'The window grows with each acknowledgement, and as the queue of the link fills, so does the time there and back. At 45 segments the congestion control (BBR here, which sets no threshold) has learned how much the link carries, and lets the queue drain. Meanwhile 280 kB wait in the socket to be sent: the link is the limit, not the server.',
  },
});
