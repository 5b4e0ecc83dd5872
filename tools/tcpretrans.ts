import bpf from '../bpf/tcpretrans.bpf.ts';
import { familyFilters, flag, snoop } from '../lib/tool.ts';

const letters: Readonly<Record<string, string>> = { RETRANSMIT: 'R>', LOSS_PROBE: 'L>', SYN_ACK: 'S>' };

export default snoop(bpf, {
  summary: 'Trace TCP segments that are sent again.',
  area: 'network',
  activity: 'Tracing TCP retransmits',
  description: `
Prints a line for each retransmission of this host: R for a segment that was taken for lost, L for a tail loss probe, which sends the last segment once more to find out, and S for a SYN-ACK that got no answer. Only what was really sent again is shown. A line may stand for several segments that leave as one packet.

With --lossprobe, probes that send a segment which was never sent before are shown as well, although nothing is sent again. They are seen by fentry or a kprobe on tcp_send_loss_probe.

Retransmissions happen in interrupts, when a timer ends or an acknowledgement comes: there is no process to show or to filter by.`,
  overhead:
    'About 3 µs for each retransmission (measured on a 2-core virtual machine), and nothing for what is not sent again.',
  options: {
    ...familyFilters,
    lossProbe: flag('-l, --lossprobe', 'also tail loss probes that send new data'),
  },
  meanings: {
    seq: 'sequence number',
  },
  columns: {
    time: {},
    ip: { header: 'IP', width: 2 },
    saddr: { header: 'LADDR' },
    lport: {},
    kind: { header: 'T', width: 2, text: (kind) => letters[kind] ?? kind },
    daddr: { header: 'RADDR' },
    dport: { header: 'RPORT' },
    state: { width: 12 },
    seq: { flag: '-s, --sequence', summary: 'show the sequence number', width: 10 },
  },
  count: {
    flag: '-c, --count',
    summary: 'count by addresses and ports, and print the counts at the end',
    by: ['saddr', 'lport', 'daddr', 'dport'],
    header: 'RETRANSMITS',
  },
  attach: {
    unwanted: ({ lossProbe }) => (lossProbe ? [] : ['loss_probe__fentry', 'loss_probe__kprobe']),
  },
  examples: {
    '': 'trace all retransmits',
    '-s -6': 'trace those over IPv6, with their sequence numbers',
    '-c': 'count retransmits of each connection',
  },
  sample: {
    before: 'A client asks for a page of a host that does not answer, and gives up after four seconds:',
    args: '',
    output: `
TIME     IP LADDR           LPORT T  RADDR           RPORT STATE
20:47:26  4 192.0.2.1       57106 R> 192.0.2.7          80 SYN_SENT
20:47:27  4 192.0.2.1       57106 R> 192.0.2.7          80 SYN_SENT
20:47:28  4 192.0.2.1       57106 R> 192.0.2.7          80 SYN_SENT`,
    after:
      'The SYN went out again each second, and nobody was there to take it: the state is still SYN_SENT. In state ESTABLISHED, data was lost on its way; -c counts how often for each connection, and tcpcong shows what the connection did about it.',
  },
});
