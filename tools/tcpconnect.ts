import bpf from '../bpf/tcpconnect.bpf.ts';
import { filters, flag, HostNames, list, once, parseInteger, snoop, unescapeText } from '../lib/tool.ts';

// It sees every connection on every kernel.
const onState = ['sock_state__tp_btf'] as const;
// These know the local port at once. A program at fexit can be preempted where the kernel can, and is then skipped for all
// other tasks of that processor; those at kprobes cannot.
const onReturn = [
  ['tcp_v4_connect__kprobe', 'tcp_v4_connect__kretprobe', 'tcp_v6_connect__kprobe', 'tcp_v6_connect__kretprobe'],
  ['tcp_v4_connect__fexit', 'tcp_v6_connect__fexit'],
] as const;

/** What each run has learned, by its option values. */
const namesOf = once((_values: object) => new HostNames());

export default snoop(bpf, {
  summary: 'Trace active TCP connections: connect(2).',
  area: 'network',
  activity: 'Tracing TCP connections',
  description: `
Prints a line for each TCP connection that a process begins, when the first packet has been sent: whether the other side answers is not known yet. An IPv4 connection over an IPv6 socket is shown as IPv4.

The best of three hooks that the kernel has is used. The return of tcp_v4_connect and tcp_v6_connect, by kprobe or else by fexit, knows the local port. The socket's change to SYN_SENT comes before a port is chosen: there the local port is left out, or with --lport the line waits until the other side has answered or the attempt has ended. Lines that still wait when the tracing ends are printed then, without it.

With --dns each line has the name for which a name server last gave the destination's address, to whichever process: the one that was asked for, also where it is an alias. Such answers are seen by a program for cgroups (v2) when they come to a socket by UDP from port 53. So a name is missing that was looked up before the tracing began, in a file, over TCP or in an encrypted way, or by a process outside the cgroups that are mounted; what a local server answers from its memory is seen as well. A name says what somebody was told, and not for certain what this process wanted.`,
  overhead:
    'About 0.1 µs for each change of state of a TCP socket (measured on a 2-core virtual machine, with the hook on socket states), and under 2 µs for each new connection: not measurable in practice. The hooks on the connect functions run once for each connection only. With --dns, about 0.1 µs for each packet that comes to a socket.',
  options: {
    ...filters,
    cgroupMap: { ...filters.cgroupMap, hidden: ['-C'] },
    mountNamespaceMap: { ...filters.mountNamespaceMap, hidden: ['-M'] },
    ports: list('-P, --port <PORTS>', 'only these destination ports', (port) => parseInteger(port, 1, 65535), {
      set: 'filter_ports',
      group: 'filter',
    }),
    ipv4: flag('-4, --ipv4', 'only IPv4', {
      set: 'filter_family',
      encode: () => 4,
      conflicts: ['ipv6'],
      group: 'filter',
    }),
    ipv6: flag('-6, --ipv6', 'only IPv6', { set: 'filter_family', encode: () => 6, group: 'filter' }),
    dns: flag('-d, --dns', "show the destination's name, if a name server was asked for it", {
      conflicts: ['count'],
      group: 'column',
    }),
    lport: flag('-L, --lport', 'show the local port', {
      set: 'want_lport',
      hidden: ['-s', '--source-port'],
      group: 'column',
    }),
  },
  computed: {
    query: {
      type: 'maybe_text_t',
      help: 'name for which a name server last gave the destination (with --dns)',
      value: ({ daddr }, values) => namesOf(values).nameOf(daddr),
    },
  },
  columns: {
    time: { flag: '-T, --timestamp' },
    uid: { flag: '-U, --print-uid' },
    pid: {},
    comm: { width: 12 },
    ip: { header: 'IP', width: 2 },
    saddr: {},
    lport: { when: 'lport' },
    daddr: {},
    dport: {},
    query: { when: 'dns' },
  },
  beside: {
    ring: 'answers',
    when: 'dns',
    take: ({ data }, values) => namesOf(values).learn(unescapeText(data)),
  },
  count: {
    flag: '-c, --count',
    summary: 'count connections by addresses and port, and print the counts at the end',
    by: ['saddr', 'lport', 'daddr', 'dport'],
    when: { lport: 'lport' },
    header: 'CONNECTS',
  },
  waiting: 'connecting',
  attach: {
    unwanted: ({ dns }) => (dns === true ? [] : ['answer__cgroup']),
    either: ({ lport }) => (lport === true ? [...onReturn, onState] : [onState, ...onReturn]),
  },
  prepare: (object, { ports }) => object.globals.set('filter_port_count', ports?.length ?? 0),
  examples: {
    '': 'trace every connection',
    '-P 80,443 -T': 'trace connections to these ports, with the time',
    '-U -u 1000': 'trace the connections of user 1000',
    '-d -T': 'with the names of their destinations, and the time',
    '-c': 'count connections by source, destination and port',
  },
  sample: {
    before: 'Two programs are started, one for a server that is there and one for a port where nobody listens:',
    args: '-P 8080,8081 -T',
    output: `
TIME         PID COMM         IP SADDR           DADDR           DPORT
17:16:50   25935 curl          4 127.0.0.1       127.0.0.1        8080
17:16:51   25953 curl          4 127.0.0.1       127.0.0.1        8081`,
    after: 'Both tried, which is what is traced: the second one was refused, and tcpconnlat and tcptracer say so.',
  },
});
