import bpf from '../bpf/netqtop.bpf.ts';
import { flag, seconds, text, top } from '../lib/tool.ts';

const usualInterval = 1;

export default top(bpf, {
  summary: 'Show packets by queue of the network interfaces, and their sizes.',
  area: 'network',
  activity: 'Tracing the queues of network interfaces',
  description: `
Shows, for each interval, how many packets each queue of a network interface has sent (net:net_dev_start_xmit) and received (net:netif_receive_skb), how large they were on average, and how many were of which size. A line belongs to a queue and a direction.

What the kernel gives to the device in one piece, to be cut there, counts as one packet with its whole size, and so does what was put together on the way in; received packets are counted without the header of the link. A driver that does not tell on which queue a packet came has all on queue 0.`,
  overhead:
    'About 0.3 µs for each packet (measured on a 2-core virtual machine), where sending or receiving one takes several.',
  options: {
    name: text('-n, --name <INTERFACE>', 'only this interface', { set: 'filter_interface', group: 'filter' }),
    interval: seconds('-i, --interval <SECONDS>', 'seconds between outputs', { group: 'output' }),
    throughput: flag('-t, --throughput', 'show bytes and packets for each second', { group: 'column' }),
  },
  map: 'queues',
  meanings: {
    interface: 'network interface',
    packets: 'packets of any size',
    below_64: 'packets of less than 64 bytes',
    below_512: 'packets of 64 to 511 bytes',
    below_2k: 'packets of 512 to 2047 bytes',
    below_16k: 'packets of 2048 to 16383 bytes',
    larger: 'packets of 16384 bytes or more',
    queue: 'number of the queue',
  },
  computed: {
    average_size: {
      type: 'bytes_t',
      help: 'average size in bytes',
      value: ({ bytes, packets }) => Math.round(bytes / packets),
    },
    bps: { type: 'bytes_t', help: 'bytes for each second of the interval', value: perSecond(({ bytes }) => bytes) },
    pps: { type: 'count_t', help: 'packets for each second', value: perSecond(({ packets }) => packets) },
  },
  columns: {
    interface: { header: 'IFACE', width: 8 },
    direction: { header: 'DIR', width: 3 },
    queue: { header: 'QUEUE', width: 5 },
    packets: {},
    average_size: { header: 'AVG_SIZE' },
    below_64: { header: '[0,64)' },
    below_512: { header: '[64,512)' },
    below_2k: { header: '[512,2K)' },
    below_16k: { header: '[2K,16K)' },
    larger: { header: '[16K,)' },
    bps: { header: 'BPS', when: 'throughput' },
    pps: { header: 'PPS', when: 'throughput' },
  },
  sort: ['packets', 'bytes', 'average_size'],
  interval: usualInterval,
  examples: {
    '': 'all interfaces, each second',
    '-n eth0 -t -i 10': 'one interface, each 10 seconds, with bytes and packets for each second',
  },
  sample: {
    before: 'In the first second, a client gets a file of 3 MB over a virtual cable:',
    args: '-n eth0 1 2',
    output: `
IFACE DIR QUEUE PACKETS AVG_SIZE [0,64) [64,512) [512,2K) [2K,16K) [16K,)
eth0  RX      0    2504      973    766      406     1241       91      0
eth0  TX      0    2504      987      0     1172     1241       91      0

IFACE DIR QUEUE PACKETS AVG_SIZE [0,64) [64,512) [512,2K) [2K,16K) [16K,)
eth0  RX      0     654     1.1K    262        1      370       21      0
eth0  TX      0     654     1.1K      0      263      370       21      0`,
    after:
      'Half of the packets are full ones with data, and 91 are several at once, as the kernel hands them to an interface that can take them apart. The small ones are the acknowledgements; sent they are 14 bytes longer than received, by the Ethernet header. With more queues than one, there is a line for each, and the load of them should be alike.',
  },
});

function perSecond(of: (row: { readonly bytes: number; readonly packets: number }) => number) {
  return (row: Parameters<typeof of>[0], values: unknown) =>
    Math.round(of(row) / ((values as { readonly interval?: number }).interval ?? usualInterval));
}
