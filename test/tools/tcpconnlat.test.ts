import assert from 'node:assert/strict';
import { test } from 'node:test';
import { keptEntries } from '../helpers/kept-entries.ts';
import { RawTcp } from '../helpers/raw-tcp.ts';
import { startTool } from '../helpers/run-tool.ts';
import { taskFields } from '../helpers/task-fields.ts';
import { ClosedPort } from '../helpers/tcp.ts';
import { connectInVain, TcpListener, waysToSpeak } from '../helpers/tcp-conversation.ts';
import { timeless, watch } from '../helpers/watch.ts';

const own = taskFields(process.pid);
const mine = ['--json', '-p', String(process.pid)];
const ECONNREFUSED = 111;

for (const way of waysToSpeak) {
  test(`each connection over ${way.name} is one row, and a refused one says so`, async () => {
    await using listener = await TcpListener.open(way);
    using closed = new ClosedPort(way.bind);
    const refused = closed.endpoint.port;
    const ports: number[] = [];
    const seen = await watch(
      'tcpconnlat',
      { all: mine, other: [...mine, way.ip === 4 ? '-6' : '-4'], slow: [...mine, '60000'], fast: [...mine, '0.0001'] },
      async () => {
        for (let i = 0; i < 5; i++) {
          const conversation = await listener.connect();
          ports.push(conversation.port);
          await conversation.close('server');
        }
        await connectInVain(way.dial, refused);
      },
    );
    const ends = { ...own, ip: way.ip, saddr: way.shown, daddr: way.shown };
    const latencies = seen.all.rows.map(({ latency }) => Number(latency));
    assert.ok(latencies.every((latency) => latency > 0 && latency < 30e9));
    const rows = timeless(seen.all.rows.map(({ latency, ...row }) => row)) as Record<string, unknown>[];
    assert.deepEqual(
      rows.slice(0, 5),
      ports.map((lport) => ({ ...ends, lport, dport: listener.port })),
    );
    const { lport, ...last } = rows[5] ?? {};
    assert.ok(Number(lport) > 0);
    assert.deepEqual(last, { ...ends, dport: refused, error: ECONNREFUSED });
    assert.equal(rows.length, 6);
    assert.deepEqual(seen.other.rows, []);
    assert.deepEqual(seen.slow.rows, []);
    assert.equal(seen.fast.rows.length, 6);
  });
}

test('an attempt that nobody answers ends when the process gives up', async () => {
  using listener = RawTcp.listen(waysToSpeak[0]);
  listener.deafen();
  let lport = 0;
  const own = ['-p', String(process.pid)];
  const seen = await watch('tcpconnlat', { rows: ['--json', ...own], text: ['-L', '-T', ...own] }, () => {
    using socket = RawTcp.open(waysToSpeak[0]);
    socket.connect(waysToSpeak[0], listener.port);
    lport = socket.port;
  });
  const rows = timeless(seen.rows.rows.map(({ latency, ...row }) => row)) as Record<string, unknown>[];
  assert.deepEqual(
    rows.map(({ lport, dport, abandoned, error }) => ({ lport, dport, abandoned, error })),
    [{ lport, dport: listener.port, abandoned: true, error: undefined }],
  );
  const [header = '', line = '', ...more] = seen.text.stdout.trimEnd().split('\n');
  assert.equal(header.split(/ +/).filter(Boolean).join(' '), 'TIME PID COMM IP SADDR LPORT DADDR DPORT LAT(ms) ERR');
  assert.match(line, new RegExp(` 4 127\\.0\\.0\\.1 +${lport} 127\\.0\\.0\\.1 +${listener.port} +\\d+\\.\\d\\d -$`));
  assert.deepEqual(more, []);
});

test('connections below the minimum leave nothing behind', async () => {
  const [way] = waysToSpeak;
  await using listener = await TcpListener.open(way);
  await using tool = startTool('tcpconnlat', [...mine, '--stats', '60000']);
  await tool.ready();
  for (let i = 0; i < 5; i++) {
    const conversation = await listener.connect();
    await conversation.close('server');
  }
  const { rows, messages } = await tool.end();
  assert.deepEqual(rows, []);
  assert.deepEqual(keptEntries(messages), []);
});
