import bpf from '../bpf/tcpdrop.bpf.ts';
import { dropReason, endpoint, familyFilters, flag, namespaceFilters, snoop } from '../lib/tool.ts';

export default snoop(bpf, {
  summary: 'Trace TCP segments that the kernel drops, with reason and stack.',
  area: 'network',
  activity: 'Tracing dropped TCP segments',
  description: `
Prints a line for each TCP segment that the kernel gives up (skb:kfree_skb), with the reason in words of the running kernel, and below it the kernel's functions that led there, the innermost first. Addresses and ports are those of the packet: the sender comes first. A segment that has no header yet, because it was on its way out, has those of its socket. IPv4 is shown as IPv4 whatever the socket was made for.

The state is that of the socket. It is left out where there is none, as for a segment to a port that nobody listens on, and where the kernel does not say which: for received segments that is before 6.11. Kernels before 5.17 give no reasons: there the stack has to tell, and some lines are of packets that were just freed. Later ones have a reason NOT_SPECIFIED for what was never looked into, which is left out unless --all asks for it.

Segments are dropped in interrupts, whatever process runs: there is no process to show or to filter by. What a device, a queue of a device or another host drops without this function is not seen.`,
  overhead:
    'About 5 µs for each dropped segment, most of it for the stack (measured on a 2-core virtual machine). Nothing for packets that are not dropped.',
  options: {
    ...familyFilters,
    ...namespaceFilters,
    all: flag('-a, --all', 'also what was dropped or freed without a reason', { set: 'with_unspecified' }),
  },
  meanings: {
    code: 'reason, as a number of the running kernel',
  },
  computed: {
    reason: { type: 'text_t', help: 'why, in words of the running kernel', value: ({ code }) => dropReason(code) },
  },
  columns: {
    time: {},
    ip: { header: 'IP', width: 2 },
    saddr: { header: 'SADDR:SPORT', width: 21, text: (address, { sport }) => endpoint(address, sport) },
    daddr: { header: '> DADDR:DPORT', width: 23, text: (address, { dport }) => `> ${endpoint(address, dport)}` },
    state: {},
    flags: {},
    reason: {},
  },
  stacks: { table: 'stacks', kernel: 'stack' },
  examples: {
    '': 'trace all drops',
    '-6 --pid-netns 181': 'trace those over IPv6 in the network namespace of process 181',
    '-a': 'trace also what has no reason',
  },
  sample: {
    before: 'A client connects to a port where nobody listens:',
    args: '',
    output: `
TIME     IP SADDR:SPORT           > DADDR:DPORT           STATE        FLAGS       REASON
20:51:37  4 192.0.2.1:44338       > 192.0.2.2:81          -            SYN         NO_SOCKET
    sk_skb_reason_drop
    tcp_v4_rcv
    ip_protocol_deliver_rcu
    ip_local_deliver_finish`,
    after:
      'The SYN came, tcp_v4_rcv found no socket for port 81, and the client was told so by a RST. The stack goes on to the interrupt in which it came; only its beginning is shown here. Reasons as NETFILTER_DROP or SOCKET_RCVBUFF point to a firewall, or to a process that does not read.',
  },
});
