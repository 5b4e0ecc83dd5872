import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { test } from 'node:test';
import { kernelEnum } from '../../lib/bpf/kernel-enum.ts';
import { tableRows } from '../helpers/tables.ts';
import { ClosedPort } from '../helpers/tcp.ts';
import { connectInVain, waysToSpeak } from '../helpers/tcp-conversation.ts';
import { watch } from '../helpers/watch.ts';

const codes = new Map([...kernelEnum({ tag: ['skb_drop_reason'] })].map(([number, name]) => [name, number]));
const code = codes.get('SKB_DROP_REASON_NO_SOCKET') ?? 0;
const reason = codes.size === 0 ? {} : { reason: 'NO_SOCKET' };

/** Datagrams to where nobody listens, each from a socket that does not want to know. */
async function sendInVain(way: (typeof waysToSpeak)[number], port: number, sizes: readonly number[]): Promise<void> {
  for (const size of sizes) {
    const socket = createSocket(way.bind === '127.0.0.1' ? 'udp4' : 'udp6');
    socket.on('error', () => {});
    await new Promise((resolve) => socket.send(new Uint8Array(size), port, way.dial, resolve));
    socket.close();
    await once(socket, 'close');
  }
}

for (const way of waysToSpeak) {
  test(`over ${way.name}, each datagram and each SYN that finds no socket is a row`, async () => {
    using closed = new ClosedPort(way.bind);
    const { port } = closed.endpoint;
    const sizes = [1, 100, 1000];
    const seen = await watch(
      'skbdrop',
      {
        all: ['--json', way.ip === 4 ? '-4' : '-6', '-i', 'lo'],
        some: ['--json', '-i', 'lo', '-r', codes.size === 0 ? '' : '^NO_SOCK'],
        otherReason: ['--json', '-r', 'NO_SOCK$'],
        otherInterface: ['--json', '-i', 'l', way.ip === 4 ? '-4' : '-6'],
        otherFamily: ['--json', way.ip === 4 ? '-6' : '-4'],
      },
      async () => {
        await sendInVain(way, port, sizes);
        await connectInVain(way.dial, port);
      },
    );
    const ends = {
      ip: way.ip,
      ethertype: way.ip === 4 ? 0x800 : 0x86dd,
      saddr: way.shown,
      daddr: way.shown,
      dport: port,
    };
    const header = way.ip === 4 ? 20 : 40;
    for (const rows of [seen.all.rows, seen.some.rows]) {
      const found = rows.filter(({ dport }) => dport === port);
      assert.ok(found.every(({ sport, function: name }) => Number(sport) > 0 && /^\w/.test(String(name))));
      assert.deepEqual(
        found.map(({ type, time, location, netns, sport, function: _, length, ...row }) => row),
        [
          ...sizes.map(() => ({ ...ends, code, ...reason, protocol: 17, proto: 'UDP', interface: 'lo' })),
          { ...ends, code, ...reason, protocol: 6, proto: 'TCP', flags: 2, interface: 'lo' },
        ],
      );
      // By then the header of IP is off, or not yet.
      for (const [i, size] of sizes.entries()) {
        assert.ok([size + 8, size + 8 + header].includes(Number(found[i]?.length)), String(found[i]?.length));
      }
    }
    for (const none of [seen.otherReason, seen.otherInterface, seen.otherFamily]) {
      assert.deepEqual(
        none.rows.filter(({ dport }) => dport === port),
        [],
      );
    }
  });
}

test('counts are by reason, function, protocol and interface; stacks end where the packet was dropped', async () => {
  const [way] = waysToSpeak;
  using closed = new ClosedPort(way.bind);
  const { port } = closed.endpoint;
  const seen = await watch('skbdrop', { counts: ['--json', '-c', '-4'], stacks: ['--json', '-s', '-4'] }, () =>
    sendInVain(way, port, Array<number>(23).fill(10)),
  );
  const rows = seen.stacks.rows.filter(({ dport }) => dport === port);
  assert.equal(rows.length, 23);
  const [{ function: name } = { function: '' }] = rows;
  for (const { stack } of rows) {
    assert.ok(
      (stack as { symbol?: string }[]).some(({ symbol }) => symbol === name),
      String(name),
    );
  }
  const counted = tableRows(seen.counts.messages).find((row) => row.proto === 'UDP' && row.function === name);
  // Others may drop datagrams as well.
  assert.ok(Number(counted?.count) >= 23);
  assert.deepEqual({ ...counted, count: 0 }, { ...reason, function: name, proto: 'UDP', interface: 'lo', count: 0 });
});

test('text has names; what is no expression is refused', async () => {
  const [way] = waysToSpeak;
  using closed = new ClosedPort(way.bind);
  const { port } = closed.endpoint;
  const { text } = await watch('skbdrop', { text: ['-4'] }, () => sendInVain(way, port, [10]));
  assert.match(text.stdout, /^TIME +REASON +FUNCTION +IFACE +PROTO +LEN SADDR:SPORT +> DADDR:DPORT\n/);
  assert.match(
    text.stdout,
    new RegExp(
      `^\\d\\d:\\d\\d:\\d\\d (NO_SOCKET|-) +\\w+ +lo +UDP +\\d+ 127\\.0\\.0\\.1:\\d+ +> 127\\.0\\.0\\.1:${port}$`,
      'm',
    ),
  );
});
