import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { JsonMessage } from '../helpers/run-tool.ts';
import { commOf } from '../helpers/task-fields.ts';
import { ClosedPort } from '../helpers/tcp.ts';
import { connectInVain, TcpListener, waysToSpeak } from '../helpers/tcp-conversation.ts';
import { timeless, watch } from '../helpers/watch.ts';

const owner = { pid: process.pid, comm: commOf(process.pid) };

/** Bytes there and back, and who closes: nothing, a byte, more than fits in any packet or buffer. */
const talks = [
  { there: 0, back: 0, first: 'client' },
  { there: 0, back: 0, first: 'server' },
  { there: 1, back: 0, first: 'server' },
  { there: 0, back: 1, first: 'client' },
  { there: 4096, back: 65_537, first: 'client' },
  { there: 1_000_003, back: 777, first: 'server' },
  { there: 3, back: 2_000_001, first: 'client' },
] as const;

for (const way of waysToSpeak) {
  test(`sessions over ${way.name} show exactly the bytes that they carried`, async () => {
    const listener = await TcpListener.open(way);
    const port = String(listener.port);
    const clients: number[] = [];
    const seen = await watch(
      'tcplife',
      {
        client: ['--json', '-D', port],
        server: ['--json', '-L', port, '-p', String(process.pid)],
        others: ['--json', '-D', port, '-p', '1'],
        other: ['--json', '-D', port, way.ip === 4 ? '-6' : '-4'],
      },
      async () => {
        for (const { there, back, first } of talks) {
          const conversation = await listener.connect();
          clients.push(conversation.port);
          await conversation.send('client', there);
          await conversation.send('server', back);
          await conversation.close(first);
        }
        await listener[Symbol.asyncDispose]();
      },
    );
    const durations = [...seen.client.rows, ...seen.server.rows].map(({ duration }) => Number(duration));
    assert.ok(durations.every((duration) => duration > 0 && duration < 60e9));
    const rows = (name: 'client' | 'server') =>
      timeless(seen[name].rows.map(({ duration, ...row }) => row as JsonMessage));
    const ends = { ...owner, ip: way.ip, saddr: way.shown, daddr: way.shown };
    assert.deepEqual(
      rows('client'),
      talks.map(({ there, back }, i) => ({ ...ends, lport: clients[i], dport: listener.port, tx: there, rx: back })),
    );
    assert.deepEqual(
      rows('server'),
      talks.map(({ there, back }, i) => ({ ...ends, lport: listener.port, dport: clients[i], tx: back, rx: there })),
    );
    assert.deepEqual(seen.others.rows, []);
    assert.deepEqual(seen.other.rows, []);
  });
}

test('a reset session has its bytes, a refused one says that it failed', async () => {
  const [way] = waysToSpeak;
  await using listener = await TcpListener.open(way);
  using closed = new ClosedPort(way.bind);
  const refused = closed.endpoint.port;
  let client = 0;
  const ports = `${refused},${listener.port}`;
  const seen = await watch(
    'tcplife',
    { rows: ['--json', '-D', ports], text: ['-w', '-T', '-D', ports], csv: ['-s', '-D', ports] },
    async () => {
      await connectInVain(way.dial, refused);
      const conversation = await listener.connect();
      client = conversation.port;
      await conversation.send('client', 1000);
      await conversation.send('server', 24);
      await conversation.reset('server');
    },
  );
  const [failed = {}, reset = {}, ...more] = timeless(seen.rows.rows) as Record<string, unknown>[];
  assert.deepEqual(more, []);
  assert.deepEqual([failed.pid, failed.dport, failed.tx, failed.rx, failed.failed], [process.pid, refused, 0, 0, true]);
  assert.deepEqual(
    [reset.pid, reset.lport, reset.dport, reset.tx, reset.rx, reset.failed],
    [process.pid, client, listener.port, 1000, 24, undefined],
  );
  const values = seen.csv.stdout.trimEnd().split('\n');
  assert.equal(values.length, 3);
  const names = values[0]?.split(',') ?? [];
  const row = Object.fromEntries((values[2] ?? '').split(',').map((value, column) => [names[column], value]));
  assert.deepEqual([row.pid, row.dport, row.tx, row.rx], [process.pid, listener.port, 1000, 24].map(String));
  const [header = '', ...lines] = seen.text.stdout.trimEnd().split('\n');
  assert.equal(header.split(/ +/).filter(Boolean).join(' '), 'TIME PID COMM IP LADDR LPORT RADDR RPORT TX_KB RX_KB MS');
  assert.equal(lines.length, 2);
  assert.match(
    lines[1] ?? '',
    new RegExp(`^\\d\\d:\\d\\d:\\d\\d +${process.pid} .* ${listener.port} +0\\.98 +0\\.02 +\\d+\\.\\d\\d$`),
  );
});
