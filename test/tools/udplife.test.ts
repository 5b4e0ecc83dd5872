import assert from 'node:assert/strict';
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { Actor } from '../helpers/actor.ts';
import { socketAddress } from '../helpers/socket-address.ts';
import { waysToSpeak } from '../helpers/tcp-conversation.ts';
import { timeless, watch } from '../helpers/watch.ts';

const AF_INET = 2;
const SOCK_DGRAM = 2;
const comm = readFileSync('/proc/self/comm', 'utf8').trim();
const { pid } = process;
const mine = ['--json', '-p', String(pid)];

async function open(bind: string): Promise<Socket> {
  const socket = createSocket({ type: bind === '127.0.0.1' ? 'udp4' : 'udp6', ipv6Only: false });
  socket.bind(0, bind);
  await once(socket, 'listening');
  return socket;
}

async function close(socket: Socket): Promise<void> {
  const closed = once(socket, 'close');
  socket.close();
  await closed;
}

const sizes = [0, 1, 1400, 9000];
const total = sizes.reduce((sum, size) => sum + size, 0);

for (const way of waysToSpeak) {
  test(`over ${way.name}, each socket shows exactly what it carried when it is closed`, async () => {
    const old = await open(way.bind);
    const ports = { here: 0, there: 0 };
    const seen = await watch(
      'udplife',
      {
        all: mine,
        family: [...mine, way.ip === 4 ? '-4' : '-6'],
        others: ['--json', '-p', '1'],
        text: ['-p', String(pid), '-w', '-T'],
      },
      async () => {
        const [receiver, sender] = await Promise.all([open(way.bind), open(way.bind)]);
        ports.there = receiver.address().port;
        ports.here = sender.address().port;
        sender.connect(ports.there, way.dial);
        await once(sender, 'connect');
        for (const size of sizes) {
          const arrived = once(receiver, 'message');
          sender.send(new Uint8Array(size));
          await arrived;
        }
        await close(sender);
        await close(receiver);
        await close(old);
      },
    );
    const sent = {
      ...{ pid, comm, ip: way.ip, saddr: way.shown, lport: ports.here, daddr: way.shown, dport: ports.there },
      ...{ tx: total, rx: 0, tx_packets: sizes.length, rx_packets: 0 },
    };
    // It hears whoever speaks to it.
    const heard = {
      ...{ pid, comm, ip: way.bind === '127.0.0.1' ? 4 : 6, saddr: way.bind, lport: ports.there },
      ...{ tx: 0, rx: total, tx_packets: 0, rx_packets: sizes.length },
    };
    assert.ok(seen.all.rows.every(({ duration }) => Number(duration) > 0 && Number(duration) < 60e9));
    const rows = (name: keyof typeof seen) =>
      timeless(seen[name].rows.map(({ duration, ...row }) => row as (typeof seen.all.rows)[number]));
    assert.deepEqual(rows('all'), [sent, heard]);
    assert.deepEqual(rows('family'), way.bind === '::' ? [sent] : [sent, heard]);
    assert.deepEqual(rows('others'), []);
    const [header = '', ...lines] = seen.text.stdout.trimEnd().split('\n');
    assert.equal(
      header.trim().replace(/ +/g, ' '),
      'TIME PID COMM IP LADDR LPORT RADDR RPORT TX_KB RX_KB TX_PKTS RX_PKTS MS',
    );
    assert.equal(lines.length, 2);
    assert.match(lines[1] ?? '', new RegExp(` ${ports.there} +- +- +0\\.00 +10\\.16 +0 +4 +\\d+\\.\\d\\d$`));
  });
}

test('a socket is closed with the process that has it, and belongs to who made it', async () => {
  const receiver = await open('127.0.0.1');
  await using actor = await Actor.start();
  const { port } = receiver.address();
  const to = socketAddress({ address: '127.0.0.1', port });
  const seen = await watch(
    'udplife',
    { all: ['--json', '-D', String(port)], other: ['--json', '-D', String(port + 1)] },
    async () => {
      const fd = await actor.mustCall('socket', AF_INET, SOCK_DGRAM, 0);
      await actor.mustCall('connect', fd, to, to.length);
      const arrived = once(receiver, 'message');
      await actor.mustCall('sendto', fd, new Uint8Array(77), 77, 0, 0, 0);
      await arrived;
      await actor[Symbol.asyncDispose]();
    },
  );
  await close(receiver);
  assert.deepEqual(
    seen.all.rows.map(({ pid, dport, tx, rx }) => ({ pid, dport, tx, rx })),
    [{ pid: actor.pid, dport: port, tx: 77, rx: 0 }],
  );
  assert.deepEqual(seen.other.rows, []);
});
