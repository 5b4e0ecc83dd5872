import assert from 'node:assert/strict';
import { test } from 'node:test';
import { canAttach } from '../../lib/bpf/hooks.ts';
import { distributionsIn } from '../helpers/distribution.ts';
import { congestionState, RawTcp } from '../helpers/raw-tcp.ts';
import type { JsonMessage } from '../helpers/run-tool.ts';
import { tableRows } from '../helpers/tables.ts';
import { waysToSpeak } from '../helpers/tcp-conversation.ts';
import { watch } from '../helpers/watch.ts';

/** Longer than any test: one table, at the end. */
const atEnd = '3600';
const { open, loss } = congestionState;

/** Else a state is looked at when a segment comes: its end may be seen as late as the next one. */
const tellsChanges = canAttach('tp/tcp/tcp_cong_state_set').supported;

/** Waits until a socket is in a state. @returns since when at the latest and at the earliest, in nanoseconds */
async function until(socket: RawTcp, state: number): Promise<{ readonly earliest: bigint; readonly latest: bigint }> {
  let earliest = process.hrtime.bigint();
  for (;;) {
    const before = process.hrtime.bigint();
    if (socket.congestionState === state) {
      return { earliest, latest: process.hrtime.bigint() };
    }
    earliest = before;
    await new Promise((resolve) => setImmediate(resolve));
  }
}

for (const way of waysToSpeak) {
  test(`over ${way.name}, a timeout is a time of loss, and all else is open`, async () => {
    using listener = RawTcp.listen(way);
    using client = RawTcp.open(way);
    client.useReno();
    const port = String(listener.port);
    const bounds = { least: 0, most: 0, all: 0 };
    const ports = { client: 0 };
    let server: RawTcp | undefined;
    const seen = await watch(
      'tcpcong',
      {
        client: ['--json', '-R', port, atEnd],
        server: ['--json', '-L', `${port}-${port}`, way.ip === 4 ? '-4' : '-6', atEnd],
        dist: ['--json', '-d', '-u', '-R', port, atEnd],
      },
      async () => {
        const begin = process.hrtime.bigint();
        client.connect(way, listener.port);
        server = listener.accept();
        ports.client = client.port;
        client.send(10);
        server.receive(10);
        client.deafen();
        client.send(10);
        const lost = await until(client, loss);
        client.hear();
        server.receive(10);
        const found = await until(client, open);
        server.send(10);
        client.receive(10);
        bounds.least = Number(found.earliest - lost.latest);
        bounds.most = Number((tellsChanges ? found.latest : process.hrtime.bigint()) - lost.earliest);
        bounds.all = Number(process.hrtime.bigint() - begin);
      },
    );
    server?.[Symbol.dispose]();
    const ends = { ip: way.ip, saddr: way.shown, daddr: way.shown };
    const [row = {}, ...more] = tableRows(seen.client.messages);
    assert.deepEqual(more, []);
    const { open: opened, loss: lost, ...rest } = row;
    assert.ok(Number(lost) >= bounds.least && Number(lost) <= bounds.most, `${lost} in ${JSON.stringify(bounds)}`);
    // The rest is open: that goes on until the end of the tracing.
    assert.ok(Number(opened) + Number(lost) >= 0.5 * bounds.all, `${opened} of ${bounds.all}`);
    assert.deepEqual(rest, {
      ...{ ...ends, lport: ports.client, dport: listener.port },
      ...{ disorder: 0, recovery: 0, cwr: 0, changes: 2, state: 'OPEN' },
    });
    const [served = {}, ...others] = tableRows(seen.server.messages);
    assert.deepEqual(others, []);
    assert.deepEqual([served.dport, served.changes, served.loss, served.state], [ports.client, 0, 0, 'OPEN']);
    assert.ok(Number(served.open) > 0 && Number(served.open) <= bounds.all + 1e9);
    const byState = distributionsIn(seen.dist.messages);
    const [ended, ...further] = byState.filter(({ state }) => state === 'LOSS');
    assert.deepEqual([ended?.unit, ended?.count, further.length], ['usecs', 1, 0]);
    const total = Number(ended?.total) * 1000;
    assert.ok(total >= bounds.least && total <= bounds.most, `${total} in ${JSON.stringify(bounds)}`);
    assert.deepEqual(byState.map(({ state }) => state).sort(), ['LOSS', 'OPEN']);
  });
}

test('text has the unit in its header; ports and families are filters', async () => {
  const [way] = waysToSpeak;
  using listener = RawTcp.listen(way);
  using client = RawTcp.open(way);
  const { port } = listener;
  const seen = await watch(
    'tcpcong',
    {
      text: ['-u', '-R', `${port}-65535`, '-L', '1-65535', atEnd],
      family: ['--json', '-R', String(port), '-6', atEnd],
      local: ['--json', '-R', String(port), '-L', String(port), atEnd],
      below: ['--json', '-R', `1-${port}`, '-L', '1', atEnd],
    },
    () => {
      client.connect(way, port);
      listener.accept()[Symbol.dispose]();
    },
  );
  const [header, ...lines] = seen.text.stdout.split('\n').map((text) => text.trim().replace(/ +/g, ' '));
  assert.equal(header, 'LADDR RADDR OPEN_us DOD_us RCOV_us CWR_us LOS_us CHGS');
  const line = lines.find((text) => text.startsWith(`127.0.0.1:${client.port} `));
  assert.match(line ?? '', new RegExp(` 127\\.0\\.0\\.1:${port} \\d+ 0 0 0 0 0$`));
  for (const none of [seen.family, seen.local, seen.below]) {
    assert.deepEqual(tableRows(none.messages), []);
  }
});

test('a state that does not change has its time in each interval', async () => {
  const [way] = waysToSpeak;
  using listener = RawTcp.listen(way);
  using client = RawTcp.open(way);
  const tables = (all: readonly JsonMessage[]) => all.filter((one) => tableRows([one]).length > 0);
  const { each } = await watch('tcpcong', { each: ['--json', '-R', String(listener.port), '0.1'] }, async (tools) => {
    client.connect(way, listener.port);
    using server = listener.accept();
    await tools.each.until(({ messages }) => tables(messages).length >= 8);
    assert.ok(server.fd > 0);
  });
  // The first is of a part of an interval.
  const [first, ...more] = tables(each.messages);
  const times = [first, ...more].map((table) => Date.parse(String(table?.time)));
  const rows = tableRows(more);
  assert.ok(rows.every(({ changes, loss, state }) => changes === 0 && loss === 0 && state === 'OPEN'));
  const open = rows.reduce((sum, { open }) => sum + Number(open), 0) / 1e6;
  const passed = (times.at(-1) ?? 0) - (times[0] ?? 0);
  assert.ok(open > 0.5 * passed && open < 1.5 * passed, `${open} of ${passed} ms`);
});
