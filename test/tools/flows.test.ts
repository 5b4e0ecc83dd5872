import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Actor } from '../helpers/actor.ts';
import { enterNetwork } from '../helpers/network-namespace.ts';
import { RawTcp } from '../helpers/raw-tcp.ts';
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
    .map(({ comm, netns, first, last, total, ...rest }) => rest)
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
  for (const { first, last, total } of rows('all')) {
    const times = [start - 1000, Date.parse(String(first)), Date.parse(String(last)), Date.now() + 1000];
    assert.deepEqual(
      times,
      times.toSorted((a, b) => a - b),
    );
    assert.equal(total, 75_038);
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
