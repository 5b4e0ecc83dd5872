import { formatEndpoint } from '../model/ip.ts';

/**
 * Which programs of `bpf/include/traffic.h` to use: the kernel's tracepoints, or else the functions below them, and
 * what passes both by.
 */
export const trafficPlans = {
  either: [
    ['sent__tp', 'received__tp'],
    ['inet_sendmsg__fexit', 'inet_recvmsg__fexit', 'inet6_sendmsg__fexit', 'inet6_recvmsg__fexit'],
    [
      'inet_sendmsg__kprobe',
      'inet_sendmsg__kretprobe',
      'inet_recvmsg__kprobe',
      'inet_recvmsg__kretprobe',
      'inet6_sendmsg__kprobe',
      'inet6_sendmsg__kretprobe',
      'inet6_recvmsg__kprobe',
      'inet6_recvmsg__kretprobe',
    ],
  ],
  optional: [
    'inet_sendpage__fexit',
    'inet_sendpage__kprobe',
    'inet_sendpage__kretprobe',
    'tcp_splice_read__fexit',
    'tcp_splice_read__kprobe',
    'tcp_splice_read__kretprobe',
  ],
} as const;

const exactly = (bytes: number) => (bytes / 1024).toFixed(2);
const about = (bytes: number) => (bytes / 1024).toFixed(bytes > 0 && bytes < 1024 ? 1 : 0);

/** Columns of both ends of a connection. */
export const endColumns = {
  saddr: { header: 'LADDR' },
  lport: {},
  daddr: { header: 'RADDR' },
  dport: { header: 'RPORT' },
} as const;

/** Columns of a session that is over: whose it was, between whom, and how much it carried. `wide` is an option. */
export const sessionColumns = {
  time: { flag: '-T, --timestamp' },
  pid: {},
  comm: { width: 12 },
  ip: { header: 'IP', width: 2, when: 'wide' },
  ...endColumns,
  tx: { header: 'TX_KB', width: 6, text: exactly },
  rx: { header: 'RX_KB', width: 6, text: exactly },
} as const;

/** The last of them: how long it took. */
export const sessionDuration = {
  header: 'MS',
  width: 6,
  text: (duration: number) => (duration / 1e6).toFixed(2),
} as const;

type Local = { readonly lport?: number | undefined };
type Remote = { readonly dport?: number | undefined };

/** Columns of a socket that is used now, and what they are sorted by. */
export const trafficColumns = {
  pid: {},
  comm: { width: 12 },
  saddr: { header: 'LADDR', width: 21, text: (address: string, { lport }: Local) => formatEndpoint(address, lport) },
  daddr: { header: 'RADDR', width: 21, text: (address: string, { dport }: Remote) => formatEndpoint(address, dport) },
  rx: { header: 'RX_KB', width: 6, text: about },
  tx: { header: 'TX_KB', width: 6, text: about },
} as const;

type Amounts = { readonly rx: number; readonly tx: number };

export const trafficTotal = {
  type: 'bytes_t',
  help: 'bytes sent and received',
  value: ({ rx, tx }: Amounts) => rx + tx,
} as const;
