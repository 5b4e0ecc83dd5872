import bpf from '../bpf/flows.bpf.ts';
import {
  choice,
  familyFilters,
  filters,
  flag,
  hostNetwork,
  KscopeError,
  list,
  namespaceFilters,
  networkPolicies,
  podsByNetwork,
  top,
  trafficColumns,
  trafficPlans,
  trafficTotal,
} from '../lib/tool.ts';

/** As Kubernetes wants them: 'app=web'. */
const label =
  /^((?:[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?\/)?[A-Za-z0-9](?:[\w.-]{0,61}[A-Za-z0-9])?)=((?:[A-Za-z0-9](?:[\w.-]{0,61}[A-Za-z0-9])?)?)$/;

function parseLabel(given: string): readonly [string, string] {
  const [, key, value] = label.exec(given) ?? [];
  if (key === undefined || value === undefined) {
    throw new KscopeError('usage', `'${given}' is not a label, as 'app=web' is one`);
  }
  return [key, value];
}

export default top(bpf, {
  summary: 'Show who talks to whom over TCP and UDP, by peer and port.',
  area: 'network',
  activity: 'Tracing who talks to whom',
  description: `
Shows with whom each process talks: a line for each other address, with the port that matters. That is the own port where the other side began (IN), and the other one's where the process did (OUT), so that a thousand connections to one server are one line. CONNS is how many TCP connections the process began, also in vain, or accepted. Bytes are exactly those that its system calls returned. Packets are those of UDP: calls, that is, of which one may move several datagrams (UDP_SEGMENT and UDP_GRO). The time of the first and of the last call is in the fields "first" and "last" (-w), as far as it was traced.

Of TCP, who began is told by the socket, also where the connection was there before: an accepted one is a copy of the one that listened. One that was accepted after listen(2) with a backlog of 0 is shown as OUT. UDP does not say who began: a connected socket is OUT; one that is not, and whose port was chosen by bind(2), is IN; any other one OUT. A socket that is not connected has no remote address: what it exchanges with all others is one line. An IPv4 connection over an IPv6 socket is shown as IPv4.

The command is that of the process's first thread. Traffic within the machine has two lines, one for each end. Connections accepted through io_uring are not counted, but what goes through them is. What else is not seen is said in the manual page of tcptop.

With --policy what is printed are Kubernetes NetworkPolicies, one for each network namespace, as each pod has its own: they allow what was seen, in vain or not, by peer, port and protocol, and nothing else. What was not seen while it was traced will be forbidden, so let the programs do all that they shall be able to do, and read the policies before they are used. A policy is for pods with a label that none has yet: that of the pod's UID (kscope/pod, where the cgroup of a process tells it) or of the namespace (kscope/netns); put it on the pod, or say with --labels what its pods have. Which commands were seen is told in an annotation. Traffic over loopback addresses is left out, as no policy is asked about it. Of a UDP socket that is not connected, whom it sends to is seen as well, by programs for cgroups (v2), which need CAP_NET_ADMIN; one that is IN is open to all senders.

The peers are addresses (ipBlock), as the kernel knows no others. Policies are asked behind the translation of addresses: where a program has spoken to the address of a service, replace the block by a selector of the pods behind it. For name servers (port 53) that is done: next to the address there are all pods labelled k8s-app=kube-dns, over UDP and TCP, since an answer that is too long for one comes by the other. Pods in the network of the host have no policies; what is printed for it is a warning, too.

16384 flows are remembered; when there are more, those that were quiet for longest are forgotten.`,
  overhead:
    'About 0.65 µs for each call that sends or receives, and 1 to 3 µs for each connection (run time of the programs on a busy 2-core virtual machine), with the tracepoints. With --policy, 0.7 µs for each datagram of a socket that is not connected.',
  options: {
    ...filters,
    ...familyFilters,
    ...namespaceFilters,
    byCommand: flag('--by-command', 'each command apart, instead of each process', { set: 'by_command' }),
    policy: choice('--policy <FORMAT>', 'print Kubernetes NetworkPolicies of all that was seen', ['yaml', 'json'], {
      group: 'output',
      conflicts: ['json', 'view', 'record'],
    }),
    labels: list('--labels <LABELS>', 'labels of the pods that the policy is for, as app=web,tier=front', parseLabel),
    wide: flag('-w, --wide', 'show packets, and the time of the first and of the last call', { group: 'column' }),
  },
  map: 'flows',
  meanings: {
    rx: 'bytes received',
    tx: 'bytes sent',
    first: 'when the first bytes or connection came',
    last: 'when the last bytes or connection came',
    connections: 'connections that were made',
    rx_packets: 'datagrams received',
    tx_packets: 'datagrams sent',
  },
  columns: {
    pid: {},
    comm: {},
    direction: { header: 'DIR', width: 3 },
    transport: { header: 'PROT', width: 4 },
    daddr: { header: 'RADDR', width: 15 },
    lport: {},
    dport: { header: 'RPORT' },
    connections: { header: 'CONNS', width: 6 },
    rx: trafficColumns.rx,
    tx: trafficColumns.tx,
    rx_packets: { header: 'RX_PKTS', width: 7, when: 'wide' },
    tx_packets: { header: 'TX_PKTS', width: 7, when: 'wide' },
    first: { when: 'wide' },
    last: { when: 'wide' },
    netns: { flag: '--print-netns' },
  },
  computed: { bytes: trafficTotal },
  sort: ['bytes', 'connections', 'rx', 'tx', 'rx_packets', 'tx_packets', 'last'],
  attach: {
    ...trafficPlans,
    optional: [...trafficPlans.optional, 'accept__tp', 'accept4__tp'],
    unwanted: ({ policy }) => (policy === undefined ? ['addressed4__cgroup', 'addressed6__cgroup'] : []),
  },
  document(rows, { policy, labels }) {
    if (policy === undefined) {
      return undefined;
    }
    const pods = podsByNetwork();
    const flows = rows.map(({ daddr, lport, dport, ...row }) => ({ ...row, peer: daddr, port: lport ?? dport ?? 0 }));
    const policies = networkPolicies(flows, (netns) => {
      const pod = pods.get(netns);
      const own = pod === undefined ? { 'kscope/netns': String(netns) } : { 'kscope/pod': pod };
      return {
        name: pod === undefined ? `netns-${netns}` : `pod-${pod}`,
        labels: labels === undefined ? own : Object.fromEntries(labels),
      };
    });
    const host = hostNetwork();
    return {
      document:
        policy === 'yaml'
          ? { format: 'yaml', content: policies }
          : { format: 'json', content: { apiVersion: 'v1', kind: 'List', items: policies } },
      warnings: rows.some(({ netns }) => netns === host)
        ? [`network namespace ${host} is that of the host, which no policy is for`]
        : [],
    };
  },
  examples: {
    '': 'all flows, when Ctrl-C is pressed',
    '-T 10': 'those of each 10 seconds, with the time',
    '-s connections --by-command': 'by command, those with the most connections first',
    '--json -4': 'all of IPv4, as JSON',
    '--policy yaml --pid-netns 181 --labels app=web': 'the policy that the pod with process 181 needs from now on',
  },
  sample: [
    {
      before:
        'Five programs get a file of 20 KB from a web server, one after the other, and a sixth tries a port where nobody listens; 50 questions of 100 bytes over UDP get answers of 400:',
      args: '--by-command',
      output: `
PID COMM    DIR PROT RADDR     LPORT RPORT CONNS RX_KB TX_KB
  - python3 IN  TCP  127.0.0.1  8080     -     5   0.4    99
  - curl    OUT TCP  127.0.0.1     -  8080     5    99   0.4
  - python3 IN  UDP  -          9053     -     0     5    20
  - python3 OUT UDP  127.0.0.1     -  9053     0    20     5
  - curl    OUT TCP  127.0.0.1     -  8081     1     0     0`,
      after:
        'Five connections are one line at each end; without --by-command each curl would have its own. The last line is the attempt that failed: nothing went through it. The UDP server does not connect its socket, so it is not known whom it answered.',
    },
    {
      before:
        'What shall the pods of a web application be allowed to do? In the network of one of them, a file is got from a server and a name server is asked:',
      args: '--policy yaml --pid-netns 181 --labels app=web --duration 5',
      output: `
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  name: netns-4026532177
  annotations:
    kscope/commands: "curl, python3"
spec:
  podSelector:
    matchLabels:
      app: web
  policyTypes:
  - Ingress
  - Egress
  ingress: []
  egress:
  - to:
    - ipBlock:
        cidr: "192.0.2.2/32"
    - namespaceSelector: {}
      podSelector:
        matchLabels:
          k8s-app: kube-dns
    ports:
    - protocol: UDP
      port: 53
    - protocol: TCP
      port: 53
  - to:
    - ipBlock:
        cidr: "192.0.2.2/32"
    ports:
    - protocol: TCP
      port: 8080`,
      after:
        'Nobody came to these pods, so nobody may: the list of what may come in is empty. Both servers are the same machine. What is printed can be given to kubectl apply -f as it is, and has to be read before: if 192.0.2.2 is the address of a service, its pods have to be named in its place.',
    },
  ],
});
