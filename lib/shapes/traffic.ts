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
