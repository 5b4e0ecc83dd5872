import assert from 'node:assert/strict';
import { statSync } from 'node:fs';
import { test } from 'node:test';
import { commOf } from '../helpers/task-fields.ts';
import { ClosedPort } from '../helpers/tcp.ts';
import { connectInVain, TcpListener, waysToSpeak } from '../helpers/tcp-conversation.ts';
import { timeless, watch } from '../helpers/watch.ts';

const { pid } = process;
const ECONNREFUSED = 111;
const owner = { pid, uid: process.getuid?.(), comm: commOf(process.pid) };
const netns = statSync('/proc/self/ns/net').ino;

for (const way of waysToSpeak) {
  test(`over ${way.name}, each connection is made, accepted and closed at both ends, and a failure has its reason`, async () => {
    await using listener = await TcpListener.open(way);
    using closed = new ClosedPort(way.bind);
    const own = ['--json', '-p', String(pid)];
    const clients: number[] = [];
    const seen = await watch(
      'tcptracer',
      {
        all: [...own, '-f', '-N', String(netns)],
        accepted: [...own, '--only', 'accept', way.ip === 4 ? '-4' : '-6'],
        failures: [...own, '--failures-only'],
        otherFamily: [...own, way.ip === 4 ? '-6' : '-4'],
        elsewhere: ['--json', '-N', '1'],
        others: ['--json', '-p', '1', '-f'],
      },
      async () => {
        for (const end of ['client', 'server', 'reset'] as const) {
          const conversation = await listener.connect();
          clients.push(conversation.port);
          await (end === 'reset' ? conversation.reset('server') : conversation.close(end));
        }
        await connectInVain(way.dial, closed.endpoint.port);
      },
    );
    const ends = { ...owner, ip: way.ip, saddr: way.shown, daddr: way.shown, netns };
    const there = (client: number | undefined) => ({ ...ends, lport: client, dport: listener.port });
    const back = (client: number | undefined) => ({ ...ends, lport: listener.port, dport: client });
    // Which end is seen to close first is the kernel's affair, and so is when accept(2) comes.
    const sorted = (rows: readonly object[]) => rows.map((row) => JSON.stringify(Object.entries(row).sort())).sort();
    const expected = clients.flatMap((client) => [
      { kind: 'CONNECT', ...there(client) },
      { kind: 'ACCEPT', ...back(client) },
      { kind: 'CLOSED', ...there(client) },
      { kind: 'CLOSED', ...back(client) },
    ]);
    const rows = timeless(seen.all.rows) as { error?: number; lport?: number; dport?: number }[];
    assert.deepEqual(sorted(rows.filter(({ error }) => error === undefined)), sorted(expected));
    const [failed, ...more] = rows.filter(({ error }) => error !== undefined);
    assert.deepEqual(more, []);
    assert.ok(Number(failed?.lport) > 0);
    assert.deepEqual(
      { ...failed, lport: 0 },
      { kind: 'CONNECT', ...ends, lport: 0, dport: closed.endpoint.port, error: ECONNREFUSED },
    );
    assert.deepEqual(timeless(seen.failures.rows), [failed]);
    assert.deepEqual(
      timeless(seen.accepted.rows),
      clients.map((client) => ({ kind: 'ACCEPT', ...back(client) })),
    );
    for (const none of [seen.otherFamily, seen.elsewhere, seen.others]) {
      assert.deepEqual(none.rows, []);
    }
  });
}

test('text has a letter for each', async () => {
  const [way] = waysToSpeak;
  await using listener = await TcpListener.open(way);
  const { text } = await watch('tcptracer', { text: ['-T', '-U', '-f', '-p', String(pid)] }, async () => {
    const conversation = await listener.connect();
    await conversation.close('client');
  });
  const [header = '', ...lines] = text.stdout.trimEnd().split('\n');
  assert.equal(header.trim().replace(/ +/g, ' '), 'TIME UID T PID COMM IP SADDR DADDR SPORT DPORT ERR');
  assert.deepEqual(lines.map((line) => line.trim().split(/ +/)[2]).sort(), ['A', 'C', 'X', 'X']);
});
