import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RawTcp } from '../helpers/raw-tcp.ts';
import { commOf } from '../helpers/task-fields.ts';
import { waysToSpeak } from '../helpers/tcp-conversation.ts';
import { timeless, watch } from '../helpers/watch.ts';

const { pid } = process;
const caller = { pid, tid: pid, uid: process.getuid?.(), comm: commOf(process.pid) };

/** Keeps this thread busy: what comes meanwhile waits. */
function work(milliseconds: number): void {
  const end = performance.now() + milliseconds;
  while (performance.now() < end) {}
}

for (const way of waysToSpeak) {
  test(`over ${way.name}, each read says how long the oldest data waited`, async () => {
    using listener = RawTcp.listen(way);
    using client = RawTcp.open(way);
    client.connect(way, listener.port);
    using server = listener.accept();
    const port = String(listener.port);
    const elapsed: number[] = [];
    const seen = await watch(
      'tcppktlat',
      {
        all: ['--json', '-l', port, '-p', String(pid)],
        slow: ['--json', '-l', port, '-r', String(client.port), '15000', way.ip === 4 ? '-4' : '-6'],
        otherFamily: ['--json', '-l', port, way.ip === 4 ? '-6' : '-4'],
        otherPort: ['--json', '-r', port, '-l', '1'],
        others: ['--json', '-l', port, '-p', '1'],
      },
      () => {
        for (const wait of [0, 20, 40]) {
          const start = performance.now();
          client.send(100);
          work(wait);
          // It does not shorten the wait of what came first.
          client.send(50);
          server.receive(150);
          elapsed.push((performance.now() - start) * 1e6);
        }
      },
    );
    const latencies = seen.all.rows.map(({ latency }) => Number(latency));
    assert.equal(latencies.length, 3);
    for (const [i, wait] of [0, 20, 40].entries()) {
      const latency = latencies[i] ?? 0;
      assert.ok(latency >= wait * 1e6 && latency <= (elapsed[i] ?? 0), `${latency} in ${elapsed[i]}`);
    }
    const row = { ...caller, ip: way.ip, saddr: way.shown, lport: listener.port, daddr: way.shown, dport: client.port };
    const rows = timeless(seen.all.rows.map(({ cgroup, latency, ...rest }) => rest as (typeof seen.all.rows)[number]));
    assert.deepEqual(rows, [row, row, row]);
    // Each tool has its own clock readings; the first wait is only as short as the machine lets it be.
    const slow = seen.slow.rows.map(({ latency }) => Number(latency));
    assert.ok(slow.every((latency) => latency >= 15e6) && [2, 3].includes(slow.length), String(slow));
    for (const none of [seen.otherFamily, seen.otherPort, seen.others]) {
      assert.deepEqual(none.rows, []);
    }
  });
}

test('text has milliseconds; what is no number is refused', async () => {
  const [way] = waysToSpeak;
  using listener = RawTcp.listen(way);
  using client = RawTcp.open(way);
  client.connect(way, listener.port);
  using server = listener.accept();
  const { text } = await watch('tcppktlat', { text: ['-T', '-w', '-l', String(listener.port)] }, () => {
    client.send(10);
    server.receive(10);
  });
  const [header = '', line = '', ...more] = text.stdout.trimEnd().split('\n');
  assert.deepEqual(more, []);
  assert.equal(header.trim().replace(/ +/g, ' '), 'TIME PID TID COMM IP LADDR LPORT RADDR RPORT MS');
  assert.match(
    line,
    new RegExp(` ${pid} +${pid} .* 4 127\\.0\\.0\\.1 +${listener.port} 127\\.0\\.0\\.1 +\\d+ +\\d+\\.\\d\\d$`),
  );
});
