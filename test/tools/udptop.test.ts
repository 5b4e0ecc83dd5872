import assert from 'node:assert/strict';
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { tableRows } from '../helpers/tables.ts';
import { waysToSpeak } from '../helpers/tcp-conversation.ts';
import { watch } from '../helpers/watch.ts';

const comm = readFileSync('/proc/self/comm', 'utf8').trim();
const { pid } = process;
const mine = ['--json', '-p', String(pid)];
/** Longer than any test: one table, at the end. */
const atEnd = '3600';

async function open(bind: string): Promise<Socket> {
  const socket = createSocket({ type: bind === '127.0.0.1' ? 'udp4' : 'udp6', ipv6Only: false });
  socket.bind(0, bind);
  await once(socket, 'listening');
  return socket;
}

const sizes = [0, 1, 1400, 9000];
const total = sizes.reduce((sum, size) => sum + size, 0);

for (const way of waysToSpeak) {
  test(`over ${way.name}, each socket shows exactly the datagrams that it sent and received`, async () => {
    const [receiver, sender] = await Promise.all([open(way.bind), open(way.bind)]);
    const there = receiver.address().port;
    const here = sender.address().port;
    sender.connect(there, way.dial);
    await once(sender, 'connect');
    const seen = await watch(
      'udptop',
      {
        all: [...mine, atEnd],
        connected: [...mine, way.ip === 4 ? '-4' : '-6', '-s', 'tx_packets', atEnd],
        other: [...mine, way.ip === 4 ? '-6' : '-4', atEnd],
        others: ['--json', '-p', '1', atEnd],
      },
      async () => {
        for (const size of sizes) {
          const arrived = once(receiver, 'message');
          sender.send(new Uint8Array(size));
          await arrived;
        }
      },
    );
    for (const socket of [receiver, sender]) {
      socket.close();
    }
    const mineOnly = (name: keyof typeof seen) =>
      tableRows(seen[name].messages).filter(({ lport }) => lport === here || lport === there);
    const sends = {
      ...{ pid, comm, ip: way.ip, saddr: way.shown, lport: here, daddr: way.shown, dport: there },
      ...{ rx: 0, tx: total, rx_packets: 0, tx_packets: sizes.length, bytes: total },
    };
    // It hears whoever speaks to it.
    const hears = {
      ...{ pid, comm, ip: way.bind === '127.0.0.1' ? 4 : 6, saddr: way.bind, lport: there },
      ...{ rx: total, tx: 0, rx_packets: sizes.length, tx_packets: 0, bytes: total },
    };
    const byPort = (rows: readonly Readonly<Record<string, unknown>>[]) =>
      [...rows].sort((a, b) => Number(a.lport) - Number(b.lport));
    assert.deepEqual(byPort(mineOnly('all')), byPort([sends, hears]));
    assert.deepEqual(mineOnly('connected')[0], sends);
    assert.deepEqual(mineOnly('other'), way.bind === '::' ? [hears] : []);
    assert.deepEqual(mineOnly('others'), []);
  });
}

test('text has both amounts, and no remote address where there is none', async () => {
  const receiver = await open('127.0.0.1');
  const { port } = receiver.address();
  const { text } = await watch('udptop', { text: ['-p', String(pid), atEnd] }, async () => {
    const arrived = once(receiver, 'message');
    receiver.send(new Uint8Array(2048), port, '127.0.0.1');
    await arrived;
  });
  receiver.close();
  const [heading = '', header = '', ...lines] = text.stdout.split('\n');
  assert.match(heading, /loadavg/);
  assert.equal(header.trim().replace(/ +/g, ' '), 'PID COMM LADDR RADDR RX_KB TX_KB RX_PKTS TX_PKTS');
  assert.deepEqual(
    lines.map((line) => line.trim().replace(/ +/g, ' ')).filter((line) => line.includes(`:${port} `)),
    [`${pid} ${comm} 127.0.0.1:${port} - 2 2 1 1`],
  );
});
