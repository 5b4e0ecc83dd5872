import bpf from '../bpf/tcpsubnet.bpf.ts';
import {
  choice,
  commonOptions,
  familyFilters,
  filters,
  KscopeError,
  lettered,
  list,
  parseSubnet,
  seconds,
  top,
  trafficPlans,
} from '../lib/tool.ts';

const usual = [
  ...['127.0.0.1/32', '10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', '0.0.0.0/0'],
  ...['::1/128', 'fe80::/10', 'fc00::/7', '::/0'],
];
const most = 64;

/** Bytes in one of each unit. */
const formats = { b: 1 / 8, k: 125, m: 125_000, B: 1, K: 1024, M: 1024 ** 2 } as const;
const suffixes = { b: 'bit', k: 'kbit', m: 'Mbit', B: 'B', K: 'KB', M: 'MB' } as const;

function amount(bytes: number, _: unknown, { format = 'B' }: { readonly format: keyof typeof formats | undefined }) {
  const value = bytes / formats[format];
  return `${Number.isInteger(value) ? value : value.toFixed(2)} ${suffixes[format]}`;
}

export default top(bpf, {
  summary: 'Show how much TCP sends to which subnet.',
  area: 'network',
  activity: 'Tracing what TCP sends to subnets',
  description: `
Shows, for each interval, how much has been sent over TCP to the addresses of each subnet, the most first: exactly the bytes that the system calls of processes returned. What a call asked for and did not get is not counted, and nothing that TCP itself adds or sends again. What was received from there is in the field rx, and shown by --received.

An address belongs to the first subnet of the list that it is in, so narrow ones come before wide ones. What is in none of them is not counted. An IPv4 connection over an IPv6 socket belongs to a subnet of IPv4. Without a list there are 127.0.0.1/32, the private networks of IPv4, 0.0.0.0/0 for all others, ::1/128, fe80::/10, fc00::/7 and ::/0. Up to 64 subnets can be given.

The hooks and what they do not see are those of tcptop.`,
  overhead:
    'About 0.27 µs for each call that sends or receives and finds its subnet first (measured on a 2-core virtual machine, with the tracepoints), and some nanoseconds for each subnet that it is compared with before.',
  options: {
    subnets: list('[subnets]', 'subnets, as 10.0.0.0/8,fe80::/10', parseSubnet),
    ...filters,
    ...familyFilters,
    format: choice(
      '-f, --format <UNIT>',
      'print bits (b; thousands k; millions m) or bytes (B; KiB K; MiB M)',
      ['b', 'k', 'm', 'B', 'K', 'M'],
      { group: 'output' },
    ),
    interval: seconds('-i, --interval <SECONDS>', 'seconds between outputs', { group: 'output' }),
    json: lettered(commonOptions.json, 'J'),
  },
  map: 'amounts',
  meanings: {
    rx: 'bytes received',
    tx: 'bytes sent',
    network: 'IP address of the subnet',
    prefix: 'length of the prefix of the subnet, in bits',
  },
  computed: {
    subnet: { type: 'text_t', help: 'the subnet', value: ({ network, prefix }) => `${network}/${prefix}` },
  },
  columns: {
    subnet: { width: 24 },
    tx: { width: 14, text: amount },
    rx: { width: 14, text: amount, flag: '--received', summary: 'also show what was received' },
  },
  sort: ['tx', 'rx', 'subnet'],
  interval: 1,
  attach: trafficPlans,
  prepare: (object, { subnets = usual.map(parseSubnet) }) => {
    if (subnets.length > most) {
      throw new KscopeError('usage', `${subnets.length} subnets are too many: ${most} can be told apart`);
    }
    object.globals.set('subnets', subnets);
    object.globals.set('subnet_count', subnets.length);
  },
  examples: {
    '': 'what is sent to private networks, and to all others, each second',
    '-f m -i 10': 'in Mbit, each ten seconds',
    '192.0.2.0/24,0.0.0.0/0,::/0 --received': 'one network, and the rest of the world, both ways',
  },
  sample: {
    before: 'A client gets two files of 3 MB from a server on the same machine, over a link of 20 Mbit a second:',
    args: '192.0.2.0/24,0.0.0.0/0 --received 1',
    output: `
SUBNET              TX        RX
192.0.2.0/24 2294047 B 1943503 B

SUBNET              TX        RX
192.0.2.0/24 2017247 B 2101079 B

SUBNET              TX        RX
192.0.2.0/24 1689280 B 1955992 B`,
    after:
      'Both ends are here: what the server sends is TX, and what the client receives is RX. In each second there were about 2 MB of both, since what is sent waits in buffers before it is received. Nothing went to other networks, or there would be a line for 0.0.0.0/0; tcptop shows whose connections they are.',
  },
});
