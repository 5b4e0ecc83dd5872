import assert from 'node:assert/strict';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { canAttach } from '../../lib/bpf/hooks.ts';
import { Actor } from '../helpers/actor.ts';
import { allowLargeTransfer, largeTransfer } from '../helpers/large-packets.ts';
import { RawTcp } from '../helpers/raw-tcp.ts';
import { startTool } from '../helpers/run-tool.ts';
import { mustSyscall, syscall } from '../helpers/syscall.ts';
import { tableRows } from '../helpers/tables.ts';
import { TcpListener, waysToSpeak } from '../helpers/tcp-conversation.ts';
import { watch } from '../helpers/watch.ts';

const comm = readFileSync('/proc/self/comm', 'utf8').trim();
const { pid } = process;
const mine = ['--json', '-p', String(pid)];
/** Longer than any test: one table, at the end. */
const once = '3600';

const talks = [
  { there: 1, back: 0 },
  { there: 4096, back: 65_537 },
  { there: 3_000_001, back: 777 },
] as const;

for (const way of waysToSpeak) {
  test(`over ${way.name}, each end of a connection shows exactly the bytes that it sent and received`, async () => {
    await using listener = await TcpListener.open(way);
    const clients: number[] = [];
    const seen = await watch(
      'tcptop',
      {
        all: [...mine, once],
        family: [...mine, way.ip === 4 ? '-4' : '-6', once],
        other: [...mine, way.ip === 4 ? '-6' : '-4', once],
        others: ['--json', '-p', '1', once],
        sent: [...mine, '--sort', 'sent', '-r', '1', once],
      },
      async () => {
        for (const { there, back } of talks) {
          const conversation = await listener.connect();
          clients.push(conversation.port);
          await conversation.send('client', there);
          await conversation.send('server', back);
          await conversation.close('client');
        }
      },
    );
    const ends = { pid, ip: way.ip, saddr: way.shown, daddr: way.shown, comm };
    const expected = talks
      .flatMap(({ there, back }, i) => [
        { ...ends, lport: clients[i], dport: listener.port, rx: back, tx: there, bytes: there + back },
        { ...ends, lport: listener.port, dport: clients[i], rx: there, tx: back, bytes: there + back },
      ])
      .filter(({ bytes }) => bytes > 0);
    const byPort = (rows: readonly Readonly<Record<string, unknown>>[]) =>
      rows
        .filter(({ lport, dport }) => lport === listener.port || dport === listener.port)
        .sort((a, b) => Number(a.lport) - Number(b.lport) || Number(a.dport) - Number(b.dport));
    assert.deepEqual(byPort(tableRows(seen.all.messages)), byPort(expected));
    assert.deepEqual(byPort(tableRows(seen.family.messages)), byPort(expected));
    assert.deepEqual(byPort(tableRows(seen.other.messages)), []);
    assert.deepEqual(byPort(tableRows(seen.others.messages)), []);
    const [most, ...more] = tableRows(seen.sent.messages);
    assert.deepEqual([most?.tx, more], [3_000_001, []]);
  });
}

test('each byte is in one of the intervals, however short they are', async () => {
  const [way] = waysToSpeak;
  using listener = RawTcp.listen(way);
  using client = RawTcp.open(way);
  client.connect(way, listener.port);
  using server = listener.accept();
  await using tool = startTool('tcptop', [...mine, '0.01']);
  await tool.ready();
  for (let i = 0; i < 500; i++) {
    client.send(100);
    server.receive(100);
    if (i % 10 === 0) {
      await setImmediate();
    }
  }
  const tables = (await tool.end()).messages.filter(({ type }) => type === 'table');
  const rows = tableRows(tables).filter(({ lport, dport }) => lport === listener.port || dport === listener.port);
  const sum = (name: string) => rows.reduce((all, row) => all + Number(row[name]), 0);
  assert.deepEqual([sum('tx'), sum('rx')], [50_000, 50_000]);
});

test('only what calls returned counts: not what was looked at, asked for, or refused', async () => {
  const [way] = waysToSpeak;
  const MSG_PEEK = 2;
  using listener = RawTcp.listen(way);
  using client = RawTcp.open(way);
  let sent = 0;
  const seen = await watch('tcptop', { all: [...mine, once] }, () => {
    client.connect(way, listener.port);
    using server = listener.accept();
    client.send(100);
    assert.equal(syscall('recvfrom', server.fd, new Uint8Array(1000), 1000, MSG_PEEK, 0, 0), 100);
    assert.equal(syscall('recvfrom', server.fd, new Uint8Array(60), 60, 0, 0, 0), 60);
    assert.equal(syscall('recvfrom', server.fd, new Uint8Array(1000), 1000, 0, 0, 0), 40);
    sent = 100;
    // Until there is no room: the last call fails.
    for (let got = 0; got >= 0; got = syscall('sendto', client.fd, new Uint8Array(1e6), 1e6, 0, 0, 0)) {
      sent += got;
    }
  });
  const rows = tableRows(seen.all.messages).filter(({ lport, dport }) => [lport, dport].includes(listener.port));
  assert.ok(sent > 100);
  assert.deepEqual(
    rows.map(({ dport, rx, tx }) => ({ server: dport !== listener.port, rx, tx })),
    [
      { server: false, rx: 0, tx: sent },
      { server: true, rx: 100, tx: 0 },
    ],
  );
});

test('files that are sent and data that is spliced out count as well', async (t) => {
  const hooks = ['fexit', 'kprobe'].map((kind) => canAttach(`${kind}/tcp_splice_read`));
  const seesSplice = hooks.some(({ supported }) => supported !== false);
  const [way] = waysToSpeak;
  using listener = RawTcp.listen(way);
  using client = RawTcp.open(way);
  const file = openSync(process.execPath, 'r');
  const pipe = new Int32Array(2);
  mustSyscall('pipe2', new Uint8Array(pipe.buffer), 0);
  const [output = -1, input = -1] = pipe;
  const seen = await watch('tcptop', { all: [...mine, once] }, () => {
    client.connect(way, listener.port);
    using server = listener.accept();
    assert.equal(syscall('sendfile', client.fd, file, 0, 5000), 5000);
    assert.equal(syscall('splice', server.fd, 0, input, 0, 3000, 0), 3000);
    server.receive(2000);
  });
  for (const fd of [file, output, input]) {
    closeSync(fd);
  }
  const rows = tableRows(seen.all.messages).filter(({ lport, dport }) => [lport, dport].includes(listener.port));
  assert.deepEqual(
    rows.map(({ rx, tx }) => ({ rx, tx })).sort((a, b) => Number(b.tx) - Number(a.tx)),
    [
      { rx: 0, tx: 5000 },
      { rx: seesSplice ? 5000 : 2000, tx: 0 },
    ],
  );
  if (!seesSplice) {
    t.diagnostic(`splice is not seen: ${hooks.map(({ reason }) => reason).join('; ')}`);
  }
});

test('text is a screen with the load averages, and KiB', async () => {
  const [way] = waysToSpeak;
  await using listener = await TcpListener.open(way);
  let client = 0;
  const seen = await watch(
    'tcptop',
    { text: ['-p', String(pid), once], bare: ['-S', '-p', String(pid), once] },
    async () => {
      const conversation = await listener.connect();
      client = conversation.port;
      await conversation.send('client', 10_240);
      await conversation.close('client');
    },
  );
  const [heading = '', header = '', ...lines] = seen.text.stdout.split('\n');
  assert.match(heading, /^\d\d:\d\d:\d\d loadavg: [\d.]+ [\d.]+ [\d.]+ /);
  assert.equal(header.trim().replace(/ +/g, ' '), 'PID COMM LADDR RADDR RX_KB TX_KB');
  assert.equal(seen.bare.stdout.trimStart().split(/ +/)[0], 'PID');
  assert.deepEqual(
    lines
      .map((one) => one.trim().replace(/ +/g, ' '))
      .filter((one) => one.includes(`:${listener.port}`))
      .sort(),
    [
      `${pid} ${comm} 127.0.0.1:${client} 127.0.0.1:${listener.port} 0 10`,
      `${pid} ${comm} 127.0.0.1:${listener.port} 127.0.0.1:${client} 10 0`,
    ].sort(),
  );
});

test('what packets of more than 64 KiB carry is counted to the byte', async (t) => {
  await using left = await Actor.start();
  await using right = await Actor.start();
  const transfer = await allowLargeTransfer(t, left, right);
  if (transfer === undefined) {
    return;
  }
  const of = (actor: Actor) => ['--json', '-p', String(actor.pid), '3600'];
  const seen = await watch('tcptop', { left: of(left), right: of(right) }, transfer);
  const { port, bytes } = largeTransfer;
  const amounts = (messages: Parameters<typeof tableRows>[0]) =>
    tableRows(messages).map(({ pid, lport, dport, rx, tx }) => ({ pid, ends: [lport, dport].includes(port), rx, tx }));
  assert.deepEqual(amounts(seen.left.messages), [{ pid: left.pid, ends: true, rx: 0, tx: bytes }]);
  assert.deepEqual(amounts(seen.right.messages), [{ pid: right.pid, ends: true, rx: bytes, tx: 0 }]);
});
