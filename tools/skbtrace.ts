import bpf from '../bpf/skbtrace.bpf.ts';
import {
  atFunctionsTaking,
  dropReason,
  endpoint,
  familyFilters,
  flag,
  integer,
  KscopeError,
  kernelFunction,
  namespaceFilters,
  type Option,
  pattern,
  snoop,
  text,
} from '../lib/tool.ts';

const filter = { group: 'filter' } as const;
const protocols = new Map(Object.entries({ icmp: 1, igmp: 2, tcp: 6, udp: 17, icmpv6: 58, sctp: 132 }));
const protocolNames = new Map([...protocols].map(([name, number]) => [number, name.toUpperCase()]));

const protocol: Option<number | undefined, 'filter_protocol'> = {
  flags: '--proto <PROTOCOL>',
  summary: `only this protocol, by number or name: ${[...protocols.keys()].join(', ')}`,
  set: 'filter_protocol',
  ...filter,
  parse: (given) => {
    const number = protocols.get(given.toLowerCase()) ?? (/^\d{1,3}$/.test(given) ? Number(given) : 0);
    if (number < 1 || number > 255) {
      throw new KscopeError('usage', `'${given}' is not a protocol`);
    }
    return number;
  },
};

const tracepoints = [
  'net_dev_queue__tp_btf',
  'qdisc_dequeue__tp_btf',
  'net_dev_start_xmit__tp_btf',
  'netif_rx__tp_btf',
  'netif_receive_skb__tp_btf',
  'skb_copy_datagram_iovec__tp_btf',
] as const;

const places: Readonly<Record<string, string>> = {
  NET_DEV_QUEUE: 'net:net_dev_queue',
  QDISC_DEQUEUE: 'qdisc:qdisc_dequeue',
  NET_DEV_START_XMIT: 'net:net_dev_start_xmit',
  NETIF_RX: 'net:netif_rx',
  NETIF_RECEIVE_SKB: 'net:netif_receive_skb',
  SKB_COPY_DATAGRAM_IOVEC: 'skb:skb_copy_datagram_iovec',
  KFREE_SKB: 'skb:kfree_skb',
  CONSUME_SKB: 'skb:consume_skb',
};

const atFunctions = atFunctionsTaking(
  'sk_buff',
  ({ functions }: { readonly functions: RegExp | undefined }) => functions,
);

export default snoop(bpf, {
  summary: 'Trace the ways of packets through the kernel.',
  area: 'network',
  activity: 'Tracing packets through the kernel',
  description: `
Prints a line for each function of the kernel that a packet comes through, and for its end: freed after use (skb:consume_skb) or dropped (skb:kfree_skb, with the reason). Functions are those that the kernel's types say take a packet (struct sk_buff) as one of their first five arguments, hundreds of them; they are hooked in one step (kprobe.multi). Functions of modules are not among them. The column SKB is the packet's address: what happens to one packet has the same, but the kernel uses addresses again, and a copy has one of its own.

Kernels that cannot hook many functions at once show the coarse way, by tracepoints: to the interface, out of its queue, to the driver, from the driver to the kernel, to a socket. --tracepoints asks for that elsewhere. With --functions, functions are hooked one by one where there is no other way, 1000 at most.

Packets are chosen by what their headers say, or while they have none by their socket, in any direction. Headers change on the way, and so a packet may be lost from sight when its addresses are translated: with --track it is followed from the first time that it matched to its end. PID and COMM are those of whatever runs at that time, which need not have to do with the packet. There is no filter in the language of tcpdump.`,
  overhead:
    'About 0.8 µs for each line, and 0.5 µs for each place that a packet of no interest comes through (measured on a busy 2-core virtual machine, with tracepoints). A packet comes through tens of functions: without a filter, and with all functions, a busy network becomes several times slower.',
  options: {
    functions: pattern('-f, --functions <REGEX>', 'only functions whose name matches REGEX', {
      group: 'filter',
      hidden: ['--filter-func'],
    }),
    tracepoints: flag('--tracepoints', 'use tracepoints only: less to see, and cheaper', { conflicts: ['functions'] }),
    ...familyFilters,
    ...namespaceFilters,
    host: text('-H, --host <ADDRESS>', 'only packets from or to this address', { set: 'filter_host', ...filter }),
    port: integer('-P, --port <PORT>', 'only packets from or to this port', {
      set: 'filter_port',
      min: 1,
      max: 65535,
      ...filter,
    }),
    protocol,
    interface: text('-i, --interface <NAME>', 'only packets at this interface', {
      set: 'filter_interface',
      hidden: ['--filter-ifname'],
      ...filter,
    }),
    mark: integer('--mark <MARK>', 'only packets with this mark', {
      set: 'filter_mark',
      min: 1,
      max: 2 ** 32 - 1,
      hidden: ['--filter-mark'],
      ...filter,
    }),
    track: flag('--track', 'follow a packet that matched to its end', {
      set: 'follow',
      hidden: ['--filter-track-skb'],
    }),
    stacks: flag('-s, --stack', 'show the stack of kernel functions below each line', {
      group: 'column',
      set: 'kernel_stacks',
      hidden: ['--output-stack'],
    }),
    wide: flag('-w, --wide', 'show processor, network namespace, mark and MTU', {
      group: 'column',
      hidden: ['--output-meta'],
    }),
  },
  meanings: {
    skb: 'packet, by its address in the kernel',
    interface: 'network interface',
    location: 'address of the function, or of what freed the packet',
    mark: 'mark of the packet',
    mtu: 'MTU of the interface',
    protocol: 'number of the IP protocol',
    code: 'reason of a drop, as a number of the running kernel',
  },
  computed: {
    function: {
      type: 'text_t',
      help: 'function of the kernel, or tracepoint',
      value: ({ place, location }) => places[place] ?? kernelFunction(location),
    },
    proto: {
      type: 'maybe_text_t',
      help: 'protocol, by the last header that is known',
      value: ({ protocol }) => (protocol === 0 ? undefined : (protocolNames.get(protocol) ?? String(protocol))),
    },
    reason: {
      type: 'maybe_text_t',
      help: 'why it was dropped, in words of the running kernel',
      value: ({ place, code }) => (place === 'KFREE_SKB' ? dropReason(code) : undefined),
    },
    freed_by: {
      type: 'maybe_text_t',
      help: 'function that freed the packet, at its end',
      value: ({ place, location }) =>
        place === 'FUNCTION' || /^0x0+$/.test(location) ? undefined : kernelFunction(location),
    },
  },
  columns: {
    time: { flag: '-T, --timestamp' },
    skb: { width: 16, text: (address) => address.slice(2) },
    cpu: { when: 'wide' },
    pid: {},
    comm: { width: 12 },
    netns: { width: 10, when: 'wide', text: String },
    mark: { width: 8, when: 'wide', text: (mark) => mark.toString(16) },
    interface: { header: 'IFACE', width: 8 },
    mtu: { width: 5, when: 'wide', text: String },
    proto: { width: 6 },
    length: { header: 'LEN', width: 5, text: String },
    saddr: { header: 'SADDR:SPORT', width: 21, text: (address, { sport }) => endpoint(address, sport) },
    daddr: { header: '> DADDR:DPORT', width: 23, text: (address, { dport }) => `> ${endpoint(address, dport)}` },
    function: { width: 24 },
    reason: {},
  },
  stacks: { table: 'stacks', kernel: 'stack', when: ['stacks'] },
  attach: {
    either: ({ functions, tracepoints: only }) => {
      const { all, each } = atFunctions;
      return only ? [tracepoints] : functions === undefined ? [all, tracepoints] : [all, each];
    },
    unwanted: ({ functions, tracepoints: only }) => [
      ...(only ? atFunctions.all : []),
      ...(functions === undefined ? atFunctions.each : tracepoints),
    ],
    by: atFunctions.by,
  },
  examples: {
    '--tracepoints -P 53': 'the coarse way of questions to name servers, and of the answers',
    '-H 192.0.2.7 --proto icmp': 'all functions that a ping to a host comes through',
    "-f '^(ip|nf)_' -P 443 --track": 'some functions, also after the addresses were translated',
    '-i eth0 -s --mark 1': 'marked packets at an interface, with stacks',
  },
  sample: {
    before:
      'A program sends a datagram of one byte to a server on the other end of a virtual cable, which answers with four:',
    args: '--tracepoints -P 9053 --fields skb,comm,length,saddr,function',
    output: `
SKB              COMM           LEN SADDR:SPORT           FUNCTION
ffff888244d06500 python3         43 192.0.2.1:60902       net:net_dev_queue
ffff888244d06500 python3         43 192.0.2.1:60902       net:net_dev_start_xmit
ffff888244d06500 python3         29 192.0.2.1:60902       net:netif_rx
ffff888244d06500 python3         29 192.0.2.1:60902       net:netif_receive_skb
ffff88820807db00 python3         46 192.0.2.2:9053        net:net_dev_queue
ffff88820807db00 python3         46 192.0.2.2:9053        net:net_dev_start_xmit
ffff88820807db00 python3         32 192.0.2.2:9053        net:netif_rx
ffff88820807db00 python3         32 192.0.2.2:9053        net:netif_receive_skb`,
    after:
      'Each packet is one buffer, by whose address its lines belong together: queued, sent, and received at the other end, without its Ethernet header of 14 bytes. What becomes of it later is skb:consume_skb when somebody used it, or skb:kfree_skb with the reason when it was dropped. Without --tracepoints all functions of the kernel that it comes through are shown.',
  },
});
