import bpf from '../bpf/skbdrop.bpf.ts';
import {
  dropReason,
  endpoint,
  familyFilters,
  flag,
  kernelFunction,
  namespaceFilters,
  pattern,
  snoop,
  text,
} from '../lib/tool.ts';

const protocols: Readonly<Record<number, string>> = {
  1: 'ICMP',
  2: 'IGMP',
  6: 'TCP',
  17: 'UDP',
  58: 'ICMPV6',
  132: 'SCTP',
};
const ethertypes: Readonly<Record<number, string>> = { 2054: 'ARP', 34525: 'IPV6', 2048: 'IPV4' };

/** By the last header that is known. */
function protocolName(ip: number, protocol: number, ethertype: number): string {
  return ip === 0
    ? (ethertypes[ethertype] ?? `0x${ethertype.toString(16).padStart(4, '0')}`)
    : (protocols[protocol] ?? String(protocol));
}

export default snoop(bpf, {
  summary: 'Trace packets that the kernel drops: why, and by which function.',
  area: 'network',
  activity: 'Tracing dropped packets',
  description: `
Prints a line for each packet of any protocol that the kernel gives up (skb:kfree_skb), with the reason in words of the running kernel and the function that dropped it; with --count, how often each of these came up with which protocol and interface. Addresses are those of the packet, the sender first. A packet that was on its way out and has no headers yet has neither them nor a protocol.

Kernels before 5.17 give no reasons: there the function has to tell, and some lines are of packets that were just freed. Later ones have a reason NOT_SPECIFIED for what was never looked into, which is left out unless --all asks for it. The interface is the one that the packet is at; what waits in a socket is at none.

Packets are dropped in interrupts, whatever process runs: there is no process to show or to filter by. What hardware, XDP or another host drops without this function is not seen.`,
  overhead:
    'About 0.5 µs for each dropped packet, and several more for its stack (measured on a 2-core virtual machine). Nothing for packets that are not dropped.',
  options: {
    ...familyFilters,
    ...namespaceFilters,
    interface: text('-i, --interface <NAME>', 'only packets at this interface', {
      set: 'filter_interface',
      group: 'filter',
    }),
    reason: pattern('-r, --reason <REGEX>', 'only reasons that match REGEX', { group: 'filter' }),
    all: flag('-a, --all', 'also what was dropped or freed without a reason', { set: 'with_unspecified' }),
    stacks: flag('-s, --stack', 'show the stack of kernel functions below each line', {
      group: 'column',
      set: 'kernel_stacks',
    }),
  },
  keep: ({ code }, { reason }) => reason === undefined || reason.test(dropReason(code) ?? ''),
  meanings: {
    interface: 'network interface',
    location: 'address in the kernel where it was dropped',
    code: 'reason, as a number of the running kernel',
    ethertype: 'protocol of the frame (EtherType)',
    protocol: 'number of the IP protocol',
  },
  computed: {
    reason: { type: 'text_t', help: 'why, in words of the running kernel', value: ({ code }) => dropReason(code) },
    function: {
      type: 'text_t',
      help: 'kernel function that dropped the packet',
      value: ({ location }) => kernelFunction(location),
    },
    proto: {
      type: 'text_t',
      help: 'protocol, by the last header that is known',
      value: ({ ip, protocol, ethertype }) => protocolName(ip, protocol, ethertype),
    },
  },
  columns: {
    time: {},
    reason: { width: 20 },
    function: { width: 24 },
    interface: { header: 'IFACE', width: 8 },
    proto: { width: 6 },
    length: { header: 'LEN', width: 5, text: String },
    saddr: { header: 'SADDR:SPORT', width: 21, text: (address, { sport }) => endpoint(address, sport) },
    daddr: { header: '> DADDR:DPORT', width: 23, text: (address, { dport }) => `> ${endpoint(address, dport)}` },
  },
  count: {
    flag: '-c, --count',
    summary: 'count by reason, function, protocol and interface, and print the counts at the end',
    by: ['reason', 'function', 'proto', 'interface'],
    header: 'DROPS',
  },
  stacks: { table: 'stacks', kernel: 'stack', when: ['stacks'] },
  examples: {
    '': 'trace all drops',
    '-c --duration 10': 'what was dropped in ten seconds, and why',
    '-i eth0 -r NETFILTER -s': 'what the firewall drops of what comes to eth0, with stacks',
  },
  sample: {
    before: 'A connection to a TCP port and a datagram to a UDP port, where nobody listens:',
    args: '--fields time,reason,function,interface,saddr,daddr',
    output: `
TIME     REASON               FUNCTION                 IFACE    SADDR:SPORT           > DADDR:DPORT
21:01:05 NO_SOCKET            tcp_v4_rcv               eth0     192.0.2.1:33992       > 192.0.2.2:81
21:01:05 NO_SOCKET            __udp4_lib_rcv           eth0     192.0.2.1:53521       > 192.0.2.2:9999`,
    after:
      'Both packets came, and found no socket. With -c there is one line for each reason and function, with the number of packets, which is what to begin with on a busy machine; -s shows how the kernel got there.',
  },
});
