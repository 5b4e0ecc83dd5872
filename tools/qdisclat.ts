import bpf from '../bpf/qdisclat.bpf.ts';
import { flag, histogram, integer, milliseconds, text, units } from '../lib/tool.ts';

export default histogram(bpf, {
  summary: 'Summarize how long packets wait in queueing disciplines.',
  area: 'network',
  activity: 'Tracing how long packets wait to be sent',
  description: `
Measures how long a packet waits in the queueing discipline (qdisc) of the interface that it is to be sent by: from qdisc:qdisc_enqueue to qdisc:qdisc_dequeue. Each packet counts, also where several are taken out at once. What waits in the hardware afterwards, or in a socket before, is not part of it.

Many packets do not wait at all: an interface may have no queue (lo, veth), and most disciplines let a packet pass by an empty queue. Those do not count. Neither do packets that a discipline drops, those that it cuts into smaller ones, and those that another processor takes out in the instant in which they were put in.

Before 5.14 the kernel does not tell when a packet is put into a queue: there the time begins where the packet comes to the interface (net:net_dev_queue).`,
  overhead:
    'About 1.2 µs for each packet that is queued (measured on a busy 2-core virtual machine), where sending one takes several. Before 5.14 half of that also for each packet that is not queued.',
  options: {
    interface: text('-i, --interface <NAME>', 'only this interface', { set: 'filter_interface', group: 'filter' }),
    ifindex: integer('--ifindex <NUMBER>', 'only the interface with this number', {
      set: 'filter_ifindex',
      group: 'filter',
      min: 1,
    }),
    interfaces: flag('-I, --interfaces', 'each interface apart', { set: 'by_interface' }),
    kinds: flag('-Q, --qdiscs', 'each kind of queueing discipline apart', { set: 'by_kind' }),
    milliseconds: { ...milliseconds, hidden: ['--ms'] },
  },
  map: 'hists',
  unit: ({ milliseconds }) => (milliseconds ? units.msecs : units.usecs),
  meanings: {
    interface: 'network interface',
    kind: 'kind of the queueing discipline',
  },
  keys: { interface: { when: ['interfaces'] }, kind: { header: 'qdisc', when: ['kinds'] } },
  attach: { either: [['enqueued__tp_btf'], ['came__tp_btf']] },
  examples: {
    '': 'all interfaces, until Ctrl-C',
    '-i eth0 -m 1': 'one interface, each second, in milliseconds',
    '-I -Q -T 10': 'each interface and kind of queue apart, each ten seconds',
  },
  sample: {
    before: 'A client gets a file of 3 MB over an interface with a queue that lets through 20 Mbit a second:',
    args: '-i eth0 -Q',
    output: `
qdisc = tbf
          usecs           : count    distribution
         0 -> 1          : 3        |*                                       |
         2 -> 3          : 1        |                                        |
         4 -> 7          : 0        |                                        |
         8 -> 15         : 2        |                                        |
        16 -> 31         : 0        |                                        |
        32 -> 63         : 0        |                                        |
        64 -> 127        : 0        |                                        |
       128 -> 255        : 0        |                                        |
       256 -> 511        : 0        |                                        |
       512 -> 1023       : 0        |                                        |
      1024 -> 2047       : 1        |                                        |
      2048 -> 4095       : 7        |**                                      |
      4096 -> 8191       : 32       |***********                             |
      8192 -> 16383      : 112      |****************************************|`,
    after:
      'Most packets wait for 8 to 16 ms: the queue has room for 30 kB, which take 12 ms to go out. That is part of each round trip, as tcprtt shows. A shorter queue would drop more and delay less.',
  },
});
