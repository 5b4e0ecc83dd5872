import bpf from '../bpf/bindsnoop.bpf.ts';
import { familyFilters, filters, flag, kernelEnum, list, parseInteger, snoop } from '../lib/tool.ts';

// The letters of the options, in the order of their bits.
const letters = 'FTNRr';
const protocols: Readonly<Record<number, string>> = {
  1: 'ICMP',
  6: 'TCP',
  17: 'UDP',
  58: 'ICMP6',
  132: 'SCTP',
  136: 'UDPL',
  262: 'MPTCP',
};

// Before 6.6 the kernel has no such numbers, and needs none.
const bits = {
  freebind_bit: 'INET_FLAGS_FREEBIND',
  transparent_bit: 'INET_FLAGS_TRANSPARENT',
  no_port_bit: 'INET_FLAGS_BIND_ADDRESS_NO_PORT',
} as const;

export default snoop(bpf, {
  summary: 'Trace what processes bind sockets to: bind(2).',
  area: 'network',
  activity: 'Tracing bind(2) of internet sockets',
  description: `
Prints a line for each bind(2) of an internet socket that has succeeded, with the address and port that it has then: a port of 0 has become the one that the kernel chose. With --errors, calls that failed are shown as well, with what was asked for. An IPv4 address of an IPv6 socket is shown as IPv4.

OPTS has a letter for each socket option that matters here, and a dot where it is off: F for IP_FREEBIND, T for IP_TRANSPARENT, N for IP_BIND_ADDRESS_NO_PORT, R for SO_REUSEADDR and r for SO_REUSEPORT. With N, the port stays 0 until the socket is connected. In JSON these are bits of a number: 1, 2, 4, 8 and 16. IF is the index of the interface that the socket is bound to.

A port that the kernel chooses when a socket is connected or first used is not bound by bind(2), and not shown.`,
  overhead: 'About 1.3 µs for each bind(2) (run time of the programs on a busy 2-core virtual machine).',
  options: {
    ...filters,
    cgroup: { ...filters.cgroup, hidden: ['-c'] },
    ...familyFilters,
    ports: list('-P, --port <PORTS>', 'only these ports', (port) => parseInteger(port, 1, 65535), {
      set: 'filter_lports',
      group: 'filter',
      hidden: ['--ports'],
    }),
    errors: flag('-E, --errors', 'also calls that failed', {
      set: 'failed_too',
      hidden: ['-x', '--failed', '--ignore-errors=false'],
    }),
    wide: flag('-w, --wide', 'show the IP version', { group: 'column' }),
  },
  prepare: (object) => {
    const names = [...kernelEnum({ member: bits.freebind_bit })];
    for (const [variable, wanted] of Object.entries(bits)) {
      const bit = names.find(([, name]) => name === wanted)?.[0];
      if (bit !== undefined) {
        object.globals.set(variable, bit);
      }
    }
  },
  meanings: {
    addr: 'IP address that the socket has then',
    port: 'port that the socket has then',
    protocol: 'number of the protocol',
    options: "options of the socket, a bit for each of the column's letters, in their order",
    ifindex: 'index of the interface that the socket is bound to; 0: any',
  },
  columns: {
    time: { flag: '-T, --timestamp' },
    uid: { flag: '-U, --print-uid' },
    error: { header: 'RC', width: 13, when: 'errors' },
    pid: {},
    comm: {},
    protocol: { header: 'PROT', width: 5, text: (protocol) => protocols[protocol] ?? String(protocol) },
    ip: { header: 'IP', width: 2, when: 'wide' },
    addr: { header: 'ADDR' },
    port: {},
    options: {
      header: 'OPTS',
      width: 5,
      align: 'left',
      text: (bits) => [...letters].map((one, i) => (bits & (1 << i) ? one : '.')).join(''),
    },
    ifindex: { header: 'IF', width: 3 },
  },
  count: {
    flag: '--count',
    summary: 'count by address and port, and print the counts at the end',
    by: ['addr', 'port'],
    header: 'BINDS',
  },
  examples: {
    '': 'trace all',
    '-E -P 80,443': 'trace who binds, or cannot bind, to these ports',
    '--count': 'count by address and port',
  },
  sample: {
    before: 'A web server is started:',
    args: '--comm python3',
    output: `
    PID COMM              PROT ADDR             PORT OPTS   IF
  25969 python3            TCP 127.0.0.1        8082 ...R.   0`,
    after: 'It has SO_REUSEADDR (R), so that it can start again while old connections are in TIME_WAIT.',
  },
});
