import assert from 'node:assert/strict';
import { statSync } from 'node:fs';
import { test } from 'node:test';
import { Actor } from '../helpers/actor.ts';
import { enterCgroup, TestCgroup } from '../helpers/cgroup.ts';
import { allowLargeTransfer, largeTransfer } from '../helpers/large-packets.ts';
import { areAddressedHosts, enterNetwork } from '../helpers/network-namespace.ts';
import { RawTcp } from '../helpers/raw-tcp.ts';
import { runTool } from '../helpers/run-tool.ts';
import { AF_INET, familyOf, socketAddress } from '../helpers/socket-address.ts';
import { tableRows } from '../helpers/tables.ts';
import { TcpListener, waysToSpeak } from '../helpers/tcp-conversation.ts';
import { watch } from '../helpers/watch.ts';

const { pid } = process;
const mine = ['--json', '-p', String(pid)];
const none = { connections: 0, rx: 0, tx: 0, rx_packets: 0, tx_packets: 0 };
const SOCK_STREAM = 1;
const SOCK_DGRAM = 2;
const PORT = 5300;

type Rows = ReturnType<typeof tableRows>;

/** What a test knows exactly, sorted. */
function exact(rows: Rows): string[] {
  return rows
    .map(({ comm, netns, first, last, bytes, ...rest }) => rest)
    .map((row) => JSON.stringify(Object.entries(row).sort(([a], [b]) => a.localeCompare(b))))
    .sort();
}

test('many connections between two are one flow at each end', async () => {
  const listeners = await Promise.all(waysToSpeak.map((way) => TcpListener.open(way)));
  const before = await Promise.all(listeners.map((listener) => listener.connect()));
  const start = Date.now();
  const seen = await watch(
    'flows',
    {
      all: mine,
      ipv4: [...mine, '-4'],
      ipv6: [...mine, '-6'],
      others: ['--json', '-p', '1'],
      elsewhere: [...mine, '-n', '1'],
      together: [...mine, '--by-command'],
    },
    async () => {
      for (const listener of listeners) {
        for (const size of [1, 5000, 70_000]) {
          const conversation = await listener.connect();
          await conversation.send('client', size);
          await conversation.send('server', 10);
          await conversation.close('client');
        }
      }
      // These are not told as connections, and yet it is known who began.
      for (const conversation of before) {
        await conversation.send('server', 7);
      }
    },
  );
  for (const [i, listener] of listeners.entries()) {
    await before[i]?.close('client');
    await listener[Symbol.asyncDispose]();
  }
  const ports = listeners.map(({ port }) => port);
  const rows = (of: keyof typeof seen): Rows =>
    tableRows(seen[of].messages).filter(({ lport, dport }) => ports.includes(Number(lport ?? dport)));
  const ends = (who: object, ...versions: number[]) =>
    waysToSpeak.flatMap((way, i) => {
      const both = { ...none, ...who, transport: 'TCP', ip: way.ip, daddr: way.shown, connections: 3 };
      return versions.includes(way.ip)
        ? [
            { ...both, direction: 'OUT', dport: ports[i], rx: 37, tx: 75_001 },
            { ...both, direction: 'IN', lport: ports[i], rx: 75_001, tx: 37 },
          ]
        : [];
    });
  assert.deepEqual(exact(rows('all')), exact(ends({ pid }, 4, 6)));
  assert.deepEqual(exact(rows('ipv4')), exact(ends({ pid }, 4)));
  assert.deepEqual(exact(rows('ipv6')), exact(ends({ pid }, 6)));
  assert.deepEqual(exact(rows('together')), exact(ends({}, 4, 6)));
  assert.deepEqual([...rows('others'), ...rows('elsewhere')], []);
  for (const { first, last, bytes } of rows('all')) {
    const times = [start - 1000, Date.parse(String(first)), Date.parse(String(last)), Date.now() + 1000];
    assert.deepEqual(
      times,
      times.toSorted((a, b) => a - b),
    );
    assert.equal(bytes, 75_038);
  }
});

for (const address of ['127.0.0.1', '::1']) {
  test(`of UDP at ${address}, the socket tells who began; a connection that is refused is one as well`, async () => {
    await using actor = await Actor.start();
    await enterNetwork(actor);
    const open = (type: number) => actor.mustCall('socket', familyOf(address), type, 0);
    const there = socketAddress({ address, port: PORT });
    const [server, connected, free] = [await open(SOCK_DGRAM), await open(SOCK_DGRAM), await open(SOCK_DGRAM)];
    await actor.mustCall('bind', server, there, there.length);
    await actor.mustCall('connect', connected, there, there.length);
    const seen = await watch('flows', { all: ['--json', '--pid-netns', String(actor.pid)] }, async () => {
      for (const size of [0, 100, 1000]) {
        await actor.mustCall('sendto', connected, new Uint8Array(size), size, 0, 0, 0);
        await actor.mustCall('sendto', free, new Uint8Array(size), size, 0, there, there.length);
        const from = Buffer.alloc(28);
        const length = Buffer.from(Uint32Array.of(28).buffer);
        await actor.mustCall('recvfrom', server, Buffer.alloc(2000), 2000, 0, 0, 0);
        const answer = await actor.ask(0, 'recvfrom', server, Buffer.alloc(2000), 2000, 0, from, length);
        const back = Buffer.from(answer.args[4] as Uint8Array).subarray(0, there.length);
        await actor.mustCall('sendto', server, new Uint8Array(5), 5, 0, back, back.length);
        await actor.mustCall('recvfrom', free, Buffer.alloc(10), 10, 0, 0, 0);
      }
      const refused = socketAddress({ address, port: PORT + 1 });
      assert.ok((await actor.call('connect', await open(SOCK_STREAM), refused, refused.length)) < 0);
    });
    const common = { ...none, pid: actor.pid, ip: familyOf(address) === AF_INET ? 4 : 6 };
    assert.deepEqual(
      exact(tableRows(seen.all.messages)),
      exact([
        { ...common, transport: 'UDP', direction: 'IN', lport: PORT, rx: 2200, rx_packets: 6, tx: 15, tx_packets: 3 },
        { ...common, transport: 'UDP', direction: 'OUT', daddr: address, dport: PORT, tx: 1100, tx_packets: 3 },
        { ...common, transport: 'UDP', direction: 'OUT', rx: 15, rx_packets: 3, tx: 1100, tx_packets: 3 },
        { ...common, transport: 'TCP', direction: 'OUT', daddr: address, dport: PORT + 1, connections: 1 },
      ]),
    );
  });
}

test('processes of one command are one flow with --by-command', async () => {
  await using one = await Actor.start();
  await using two = await Actor.start();
  const [way] = waysToSpeak;
  using listener = RawTcp.listen(way);
  const there = socketAddress({ address: way.dial, port: listener.port });
  const seen = await watch(
    'flows',
    { apart: ['--json'], together: ['--json', '--by-command'], text: ['--by-command', '-w'] },
    async () => {
      for (const actor of [one, two]) {
        const fd = await actor.mustCall('socket', AF_INET, SOCK_STREAM, 0);
        await actor.mustCall('connect', fd, there, there.length);
      }
    },
  );
  const rows = (of: 'apart' | 'together') =>
    tableRows(seen[of].messages)
      .filter(({ dport }) => dport === listener.port)
      .map((row) => [row.pid, row.connections])
      .sort();
  assert.deepEqual(
    rows('apart'),
    [
      [one.pid, 1],
      [two.pid, 1],
    ].sort(),
  );
  assert.deepEqual(rows('together'), [[undefined, 2]]);
  const [header = '', ...lines] = seen.text.stdout.trimEnd().split('\n');
  assert.equal(
    header.trim().replace(/ +/g, ' '),
    'PID COMM DIR PROT RADDR LPORT RPORT CONNS RX_KB TX_KB RX_PKTS TX_PKTS FIRST LAST',
  );
  const line = lines.map((text) => text.trim().replace(/ +/g, ' ')).find((text) => text.includes(` ${listener.port} `));
  assert.match(line ?? '', / OUT TCP 127\.0\.0\.1 - \d+ 2 0 0 0 0 (\d\d:\d\d:\d\d) \d\d:\d\d:\d\d$/);
});

/** Gives a process a name that a file may not take at its word. */
async function rename(actor: Actor, name: string): Promise<void> {
  const fd = await actor.mustCall('openat', -100, Buffer.from('/proc/self/comm\0'), 1, 0);
  await actor.mustCall('write', fd, Buffer.from(name), name.length);
  await actor.mustCall('close', fd);
}

test('policies allow what was seen, for each network, and nothing else', async (t) => {
  const uid = '01234567-89ab-cdef-0123-456789abcdef';
  using group = new TestCgroup();
  const cgroup = group.below(`kubepods-burstable-pod${uid.replaceAll('-', '_')}.slice`);
  await using client = await Actor.start();
  await using server = await Actor.start();
  if (!(await areAddressedHosts(t, client, server))) {
    return;
  }
  enterCgroup(cgroup, server.pid);
  await rename(client, 'yes');
  await rename(server, ' #"\x1b[2J\n: &a');
  const open = async (actor: Actor, type: number, address: string, port?: number) => {
    const fd = await actor.mustCall('socket', familyOf(address), type, 0);
    const own = socketAddress({ address, port: port ?? 0 });
    if (port !== undefined) {
      await actor.mustCall('bind', fd, own, own.length);
      if (type === SOCK_STREAM) {
        await actor.mustCall('listen', fd, 8);
      }
    }
    return fd;
  };
  const listeners = [
    { fd: await open(server, SOCK_STREAM, '192.0.2.2', 8080), dial: ['192.0.2.2'], port: 8080 },
    { fd: await open(server, SOCK_STREAM, '::', 8443), dial: ['2001:db8::2', '::ffff:192.0.2.2'], port: 8443 },
  ];
  const receiver = await open(server, SOCK_DGRAM, '::', 5000);
  const netns = (actor: Actor) => statSync(`/proc/${actor.pid}/ns/net`).ino;
  const of = (actor: Actor) => ['--pid-netns', String(actor.pid)];
  const seen = await watch(
    'flows',
    {
      client: ['--policy', 'json', ...of(client)],
      server: ['--policy', 'yaml', ...of(server)],
      together: ['--policy', 'yaml', '--by-command', '-6', '--labels', 'app=web,example.org/tier=', ...of(client)],
      nothing: ['--policy', 'yaml', '-n', '1'],
    },
    async () => {
      for (const { fd, dial, port } of listeners) {
        for (const address of [...dial, ...dial]) {
          const there = socketAddress({ address, port });
          await client.mustCall('connect', await open(client, SOCK_STREAM, address), there, there.length);
          await server.mustCall('accept4', fd, 0, 0, 0);
        }
      }
      for (const [address, port] of [
        ['192.0.2.2', 81],
        ['127.0.0.1', 82],
        ['::1', 82],
      ] as const) {
        const there = socketAddress({ address, port });
        assert.ok((await client.call('connect', await open(client, SOCK_STREAM, address), there, there.length)) < 0);
      }
      for (const [address, port] of [
        ['192.0.2.2', 53],
        ['2001:db8::2', 123],
        ['::ffff:192.0.2.2', 5000],
      ] as const) {
        const there = socketAddress({ address, port });
        const fd = await open(client, SOCK_DGRAM, address);
        await client.mustCall('sendto', fd, new Uint8Array(5), 5, 0, there, there.length);
        if (port === 5000) {
          const from = Buffer.alloc(28);
          const { args } = await server.ask(
            0,
            'recvfrom',
            receiver,
            ...[Buffer.alloc(5), 5, 0, from, Buffer.from(Uint32Array.of(28).buffer)],
          );
          await server.mustCall('sendto', receiver, new Uint8Array(5), 5, 0, args[4] as Uint8Array, 28);
          await client.mustCall('recvfrom', fd, Buffer.alloc(5), 5, 0, 0, 0);
        }
      }
    },
  );
  const port = (text: string) => ({ protocol: text.slice(0, 3), port: Number(text.slice(4)) });
  const block = (address: string) => ({ ipBlock: { cidr: address } });
  assert.deepEqual(JSON.parse(seen.client.stdout), {
    apiVersion: 'v1',
    kind: 'List',
    items: [
      {
        apiVersion: 'networking.k8s.io/v1',
        kind: 'NetworkPolicy',
        metadata: { name: `netns-${netns(client)}`, annotations: { 'kscope/commands': 'yes' } },
        spec: {
          podSelector: { matchLabels: { 'kscope/netns': String(netns(client)) } },
          policyTypes: ['Ingress', 'Egress'],
          ingress: [],
          egress: [
            {
              to: [
                block('192.0.2.2/32'),
                { namespaceSelector: {}, podSelector: { matchLabels: { 'k8s-app': 'kube-dns' } } },
              ],
              ports: ['UDP/53', 'TCP/53'].map(port),
            },
            { to: [block('192.0.2.2/32')], ports: ['TCP/81', 'UDP/5000', 'TCP/8080', 'TCP/8443'].map(port) },
            { to: [block('2001:db8::2/128')], ports: ['UDP/123', 'TCP/8443'].map(port) },
          ],
        },
      },
    ],
  });
  assert.equal(
    seen.server.stdout,
    `---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  name: pod-${uid}
  annotations:
    kscope/commands: " #\\"\\\\x1b[2J\\\\n: &a"
spec:
  podSelector:
    matchLabels:
      kscope/pod: "${uid}"
  policyTypes:
  - Ingress
  - Egress
  ingress:
  - ports:
    - protocol: UDP
      port: 5000
  - from:
    - ipBlock:
        cidr: "192.0.2.1/32"
    ports:
    - protocol: TCP
      port: 8080
    - protocol: TCP
      port: 8443
  - from:
    - ipBlock:
        cidr: "2001:db8::1/128"
    ports:
    - protocol: TCP
      port: 8443
  egress: []
`,
  );
  assert.equal(
    seen.together.stdout,
    `---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  name: netns-${netns(client)}
  annotations:
    kscope/commands: "yes"
spec:
  podSelector:
    matchLabels:
      app: web
      example.org/tier: ""
  policyTypes:
  - Ingress
  - Egress
  ingress: []
  egress:
  - to:
    - ipBlock:
        cidr: "2001:db8::2/128"
    ports:
    - protocol: UDP
      port: 123
    - protocol: TCP
      port: 8443
`,
  );
  assert.equal(seen.nothing.stdout, '');
});

test('what is no label is refused', async () => {
  for (const wrong of ['app', 'app=a b', '=web', 'app=-', 'a/b/c=d']) {
    const { code, stderr } = await runTool('flows', ['--policy', 'yaml', '--labels', wrong]);
    assert.equal(code, 2, stderr);
  }
});

test('what packets of more than 64 KiB carry is counted to the byte', async (t) => {
  await using left = await Actor.start();
  await using right = await Actor.start();
  const transfer = await allowLargeTransfer(t, left, right);
  if (transfer === undefined) {
    return;
  }
  const of = (actor: Actor) => ['--json', '--pid-netns', String(actor.pid)];
  const seen = await watch('flows', { left: of(left), right: of(right) }, transfer);
  const { address, port, bytes } = largeTransfer;
  const common = { ...none, transport: 'TCP', ip: 6, connections: 1 };
  assert.deepEqual(
    exact(tableRows(seen.left.messages)),
    exact([{ ...common, pid: left.pid, direction: 'OUT', daddr: address, dport: port, tx: bytes }]),
  );
  assert.deepEqual(
    exact(tableRows(seen.right.messages)),
    exact([{ ...common, pid: right.pid, direction: 'IN', daddr: '2001:db8::1', lport: port, rx: bytes }]),
  );
});
