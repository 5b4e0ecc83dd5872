import bpf from '../bpf/capture.bpf.ts';
import { endpoint, filters, integer, namespaceFilters, type Option, packetFilter, snoop, text } from '../lib/tool.ts';

/** Of a packet; as the program has it. */
const MOST = 10240;

const protocols: Readonly<Record<number, string>> = {
  ...{ 1: 'ICMP', 2: 'IGMP', 6: 'TCP', 17: 'UDP', 47: 'GRE', 50: 'ESP', 58: 'ICMP6', 132: 'SCTP' },
};
const ethertypes: Readonly<Record<number, string>> = { 2054: 'ARP', 33024: 'VLAN', 35020: 'LLDP', 34958: 'EAPOL' };

const expression: Option<string | undefined, never> = {
  flags: '[expression...]',
  summary: "only packets for which this holds, in the words of tcpdump: 'tcp port 80 or icmp'",
  parse: (given) => given,
};

export default snoop(bpf, {
  summary: 'Trace packets at network devices, with whose they are.',
  area: 'network',
  activity: 'Tracing packets',
  description: `
Prints a line for each packet on its way to a network device (OUT), before it is queued there, and from one (IN), before anything of the kernel has looked at it, at all interfaces of all network namespaces; or writes them in the format pcapng for programs that read such (-w): with interface, direction, a time in nanoseconds, and as comment the command and process. Nothing is left behind at the interfaces, and none of them is made to hear packets for others.

PID and COMM are, of what a process sends, that process. What an interrupt sends or receives, such as acknowledgements, is that of the process that was last seen to use the same connection or port: that sent from it, named it by bind(2) or connect(2), or had its socket open at the start. It is not known ("-") of packets that are forwarded, of what the kernel says of its own accord (ARP, answers to ping), of connections that were accepted until the process that listens, or a worker that it handed them to, sends something (until then they are shown as that of who listens), and of a first packet that waited for the address of its neighbour. A port that changes hands may be shown with its former user until the new one sends. With -p and the like, packets whose process is not known are left out.

The condition is checked in the kernel. It is written as for tcpdump: host, net, port, portrange, proto, less, greater, ip, ip6, arp, tcp, udp, icmp, icmp6, with src, dst, inbound, outbound, and, or, not and parentheses; neither of "and" and "or" goes before the other. An address or port alone is what the one before was: "port 80 or 443". Names are not looked up, and bytes of packets cannot be asked for (tcp[13]). Ports are those of TCP and UDP, and only first fragments have them; headers of IPv6 before TCP and UDP are skipped, where tcpdump does not.

LEN is what the kernel handles at once: up to 64 KB on the way out, which the device divides later, and on the way in, after segments were put together (GSO, GRO). A packet comes by once for each device: those on loopback as OUT and IN, those through bridges, bonds, tunnels and virtual cables several times. Not seen are packets that never come to a device (dropped by a firewall before, or taken by XDP), those that user space sends past the queue (AF_XDP, PACKET_QDISC_BYPASS), and whether a queue drops it later. Packets of devices that are no Ethernet begin with the header of IP, others of these devices are left out. The tag of a VLAN that the device has taken out is not in the data. Of packets in several buffers, what is behind the headers may be missing before kernel 6.12 where the kernel does not list its data (CONFIG_KALLSYMS_ALL), and on arm64.`,
  overhead:
    'About 1 µs for each packet out that is taken and 0.7 µs for each one in, and 0.2 µs for one that is not wanted (run time of the programs on a busy 2-core virtual machine). A program that sent datagrams of 1000 bytes to itself over loopback, both directions taken, needed 6.8 to 7.7 µs for each instead of 4.8, with tcpdump at the same interface 5.2. This program needs about 5 µs of its own for each packet: with tens of thousands a second, choose, or give it a larger buffer.',
  options: {
    expression,
    ...filters,
    ...namespaceFilters,
    interface: text('-i, --interface <NAME>', 'only packets at this interface', {
      set: 'filter_interface',
      group: 'filter',
    }),
    snaplen: integer(
      '-s, --snaplen <BYTES>',
      `bytes that are kept of a packet, up to ${MOST}; usually 256; 0: ${MOST}`,
      {
        set: 'snaplen',
        encode: (bytes) => bytes || MOST,
        max: MOST,
        hidden: ['--snapshot-length'],
      },
    ),
  },
  prepare: (object, { expression: words }) => {
    object.globals.set('filter_steps', packetFilter(((words ?? []) as readonly string[]).join(' ')));
  },
  meanings: {
    interface: 'network interface',
    nanoseconds: 'nanoseconds of the time beyond its microseconds',
    ifindex: 'index of the interface',
    ethertype: 'protocol of the frame (EtherType)',
    protocol: 'number of the IP protocol',
  },
  computed: {
    proto: {
      type: 'text_t',
      help: 'protocol, by the last header that is known',
      value: ({ ip, protocol, ethertype }) =>
        ip === 0
          ? (ethertypes[ethertype] ?? `0x${ethertype.toString(16).padStart(4, '0')}`)
          : (protocols[protocol] ?? String(protocol)),
    },
  },
  columns: {
    time: { flag: '-T, --timestamp' },
    pid: {},
    comm: { width: 12 },
    direction: { header: 'DIR', width: 3 },
    interface: { header: 'IFACE', width: 8 },
    proto: { width: 6 },
    length: { header: 'LEN', width: 5, text: String },
    saddr: { header: 'SADDR:SPORT', width: 21, text: (address, { sport }) => endpoint(address, sport) },
    daddr: { header: '> DADDR:DPORT', width: 23, text: (address, { dport }) => `> ${endpoint(address, dport)}` },
    flags: { header: 'FLAGS' },
  },
  packet: ({ time, nanoseconds, ethernet, direction, netns, ifindex, interface: name, length, packet, pid, comm }) => ({
    time: BigInt(time) * 1000n + BigInt(nanoseconds),
    link: ethernet ? 'ethernet' : 'ip',
    interface: `${netns} ${ifindex}`,
    interfaceName: name ?? '',
    outbound: direction === 'OUT',
    length,
    bytes: Buffer.from(packet, 'hex'),
    ...(pid !== undefined && { comment: `${comm} ${pid}` }),
  }),
  attach: {
    either: [
      ['sent__readable', 'received__readable'],
      ['sent__btf', 'received__btf'],
    ],
    // Behind the others: what they have seen is newer.
    by: { sockets__iter: (program) => void program.iterate() },
  },
  examples: {
    '': 'all packets of this machine',
    '-p 181 -T outbound': 'what process 181 sends, with the time',
    '-w trace.pcapng -s 2000 host 192.0.2.7 and tcp port 443 or 80':
      'whole packets to and from a web server, to a file',
    "-i eth0 -w - 'not port 22'": 'for a pipe to what reads packets: tcpdump -r -',
  },
  sample: {
    before: 'A program gets a page from a web server of the same machine; what is sent is shown, of both:',
    args: 'outbound and tcp port 8080',
    output: `
    PID COMM         DIR IFACE    PROTO    LEN SADDR:SPORT           > DADDR:DPORT           FLAGS
   4541 curl         OUT lo       TCP       74 127.0.0.1:48538       > 127.0.0.1:8080        SYN
   4411 python3      OUT lo       TCP       74 127.0.0.1:8080        > 127.0.0.1:48538       SYN|ACK
   4541 curl         OUT lo       TCP       66 127.0.0.1:48538       > 127.0.0.1:8080        ACK
   4541 curl         OUT lo       TCP      144 127.0.0.1:48538       > 127.0.0.1:8080        PSH|ACK
   4411 python3      OUT lo       TCP       66 127.0.0.1:8080        > 127.0.0.1:48538       ACK
   4411 python3      OUT lo       TCP      250 127.0.0.1:8080        > 127.0.0.1:48538       PSH|ACK
   4541 curl         OUT lo       TCP       66 127.0.0.1:48538       > 127.0.0.1:8080        ACK
   4411 python3      OUT lo       TCP       72 127.0.0.1:8080        > 127.0.0.1:48538       PSH|ACK
   4541 curl         OUT lo       TCP       66 127.0.0.1:48538       > 127.0.0.1:8080        ACK
   4411 python3      OUT lo       TCP       66 127.0.0.1:8080        > 127.0.0.1:48538       FIN|ACK
   4541 curl         OUT lo       TCP       66 127.0.0.1:48538       > 127.0.0.1:8080        FIN|ACK
   4411 python3      OUT lo       TCP       66 127.0.0.1:8080        > 127.0.0.1:48538       ACK`,
    after:
      'The third packet and the fourth belong to curl, which asks in 78 bytes; acknowledgements are sent by interrupts, and are shown as those of who has the connection. The server closes it. With -w, the same is a file for Wireshark, in which the column Comment has the command.',
  },
});
