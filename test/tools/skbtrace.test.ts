import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { test } from 'node:test';
import { kernelEnum } from '../../lib/bpf/kernel-enum.ts';
import { probeFeature } from '../../lib/index.ts';
import type { JsonMessage } from '../helpers/run-tool.ts';
import { ClosedPort } from '../helpers/tcp.ts';
import { waysToSpeak } from '../helpers/tcp-conversation.ts';
import { watch } from '../helpers/watch.ts';

type Way = (typeof waysToSpeak)[number];

const hasReasons = [...kernelEnum({ tag: ['skb_drop_reason'] })].length > 0;
const sending = ['net:net_dev_queue', 'net:net_dev_start_xmit', 'net:netif_rx', 'net:netif_receive_skb'];

/** Sends a datagram to a port of this host, from a socket that does not want to know what became of it. */
async function send(way: Way, port: number, size: number): Promise<void> {
  const socket = createSocket(way.bind === '127.0.0.1' ? 'udp4' : 'udp6');
  socket.on('error', () => {});
  await new Promise((resolve) => socket.send(new Uint8Array(size), port, way.dial, resolve));
  socket.close();
  await once(socket, 'close');
}

/** The ways of packets, each by its own lines. */
function ways(rows: readonly JsonMessage[]): unknown[][] {
  const bySkb = new Map<unknown, unknown[]>();
  for (const row of rows) {
    bySkb.set(row.skb, [...(bySkb.get(row.skb) ?? []), row.function]);
  }
  return [...bySkb.values()];
}

for (const way of waysToSpeak) {
  test(`the way of a datagram over ${way.name} that nobody wants goes to its drop`, async () => {
    using closed = new ClosedPort(way.bind);
    const { port } = closed.endpoint;
    const of = ['--json', '--tracepoints', '-P', String(port)];
    const seen = await watch(
      'skbtrace',
      {
        all: of,
        chosen: [...of, '-H', way.shown, '--proto', 'udp', '-i', 'lo', way.ip === 4 ? '-4' : '-6', '--track'],
        otherFamily: [...of, way.ip === 4 ? '-6' : '-4'],
      },
      () => send(way, port, 100),
    );
    const end = seen.all.rows.at(-1);
    for (const { rows } of [seen.all, seen.chosen]) {
      assert.deepEqual(ways(rows), [[...sending, 'skb:kfree_skb']]);
      for (const row of rows) {
        assert.deepEqual(
          [row.ip, row.protocol, row.proto, row.saddr, row.daddr, row.dport, row.mark],
          [way.ip, 17, 'UDP', way.shown, way.shown, port, 0],
        );
      }
      const header = (way.ip === 4 ? 20 : 40) + 8;
      assert.deepEqual(
        rows.slice(0, 4).map(({ length, interface: name, pid }) => ({ length, interface: name, pid })),
        [14, 14, 0, 0].map((link) => ({ length: 100 + header + link, interface: 'lo', pid: process.pid })),
      );
    }
    assert.equal(end?.reason, hasReasons ? 'NO_SOCKET' : undefined);
    assert.match(String(end?.freed_by), /^\w/);
    assert.deepEqual(seen.otherFamily.rows, []);
  });

  test(`functions that a datagram over ${way.name} comes through are lines, wherever they take it`, async (t) => {
    const answer = probeFeature('kprobe');
    if (answer.supported === false) {
      t.skip(answer.reason);
      return;
    }
    const receiver = createSocket({ type: way.bind === '127.0.0.1' ? 'udp4' : 'udp6', ipv6Only: false });
    receiver.bind(0, way.bind);
    await once(receiver, 'listening');
    const { port } = receiver.address();
    const functions = '^(dev_hard_start_xmit|ip_rcv|ipv6_rcv|__udp_enqueue_schedule_skb|tcp_v4_rcv)$';
    const { all } = await watch('skbtrace', { all: ['--json', '-f', functions, '-P', String(port)] }, async () => {
      const arrived = once(receiver, 'message');
      await send(way, port, 10);
      await arrived;
    });
    receiver.close();
    const [found = [], ...more] = ways(all.rows);
    assert.deepEqual(more, []);
    assert.deepEqual(
      found.filter((name) => !String(name).startsWith('skb:')),
      ['dev_hard_start_xmit', way.ip === 4 ? 'ip_rcv' : 'ipv6_rcv', '__udp_enqueue_schedule_skb'],
    );
  });
}

test('filters are of all kinds; text has a line for each place, with -w all there is, and with -s stacks', async () => {
  const [way] = waysToSpeak;
  using closed = new ClosedPort(way.bind);
  const { port } = closed.endpoint;
  const of = ['--tracepoints', '-P', String(port)];
  const seen = await watch(
    'skbtrace',
    {
      usual: of,
      wide: [...of, '-w', '-T', '-s'],
      otherHost: [...of, '--json', '-H', '192.0.2.1'],
      otherProtocol: [...of, '--json', '--proto', '6'],
      otherInterface: [...of, '--json', '-i', 'l'],
      otherMark: [...of, '--json', '--mark', '7'],
    },
    () => send(way, port, 1),
  );
  for (const { rows } of [seen.otherHost, seen.otherProtocol, seen.otherInterface, seen.otherMark]) {
    assert.deepEqual(rows, []);
  }
  const [header, ...lines] = seen.usual.stdout.trimEnd().split('\n');
  const words = (text: string | undefined) => text?.trim().replace(/ +/g, ' ');
  assert.equal(words(header), 'SKB PID COMM IFACE PROTO LEN SADDR:SPORT > DADDR:DPORT FUNCTION REASON');
  assert.equal(lines.length, sending.length + 1);
  const [wide, ...stacks] = seen.wide.stdout.split('\n');
  assert.equal(
    words(wide),
    'TIME SKB CPU PID COMM NETNS MARK IFACE MTU PROTO LEN SADDR:SPORT > DADDR:DPORT FUNCTION REASON',
  );
  assert.ok(
    stacks.some((line) => /^ +(__)?dev_queue_xmit/.test(line)),
    seen.wide.stdout,
  );
});
