import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RawTcp } from '../helpers/raw-tcp.ts';
import { runTool } from '../helpers/run-tool.ts';
import { syscall } from '../helpers/syscall.ts';
import { tableRows } from '../helpers/tables.ts';
import { waysToSpeak } from '../helpers/tcp-conversation.ts';
import { watch } from '../helpers/watch.ts';

const pid = String(process.pid);
/** Longer than any test: one table, at the end. */
const atEnd = '3600';
const MSG_DONTWAIT = 0x40;

test('each end of a connection counts what it sends and receives for the first subnet that the other is in', async () => {
  // The client calls 127.0.0.2 and is 127.0.0.1 itself.
  const way = { bind: '0.0.0.0', dial: '127.0.0.2' };
  using listener = RawTcp.listen(way);
  let sent = 0;
  const seen = await watch(
    'tcpsubnet',
    {
      narrow: ['--json', '-p', pid, '127.0.0.2/32,127.0.0.0/8,0.0.0.0/0', atEnd],
      wide: ['-J', '-p', pid, '10.0.0.0/8,0.0.0.0/0,127.0.0.2', '-i', atEnd],
      none: ['--json', '-p', pid, '10.0.0.0/8,127.0.0.3/32,::/0', atEnd],
      six: ['--json', '-p', pid, '-6', '0.0.0.0/0,::/0', atEnd],
      others: ['--json', '-p', '1', '127.0.0.0/8', atEnd],
      text: ['-p', pid, '-f', 'K', '--received', '127.0.0.2/31', atEnd],
    },
    () => {
      using client = RawTcp.open(way);
      client.connect(way, listener.port);
      using server = listener.accept();
      client.send(1024);
      server.receive(1024);
      server.send(512);
      client.receive(512);
      // More than there is room for: what the call returns counts, not what it asked for.
      sent = 1024;
      const plenty = new Uint8Array(16 << 20);
      for (let took = 0; took >= 0; sent += Math.max(0, took)) {
        took = syscall('sendto', client.fd, plenty, plenty.length, MSG_DONTWAIT, 0, 0);
      }
    },
  );
  assert.ok(sent > 1024);
  const there = { tx: sent, rx: 512 };
  const back = { tx: 512, rx: 1024 };
  const both = { tx: sent + 512, rx: 1024 + 512 };
  assert.deepEqual(tableRows(seen.narrow.messages), [
    { subnet: '127.0.0.2/32', network: '127.0.0.2', prefix: 32, ...there },
    { subnet: '127.0.0.0/8', network: '127.0.0.0', prefix: 8, ...back },
  ]);
  assert.deepEqual(tableRows(seen.wide.stdout.split(/\n(?=.)/).map((line) => JSON.parse(line))), [
    { subnet: '0.0.0.0/0', network: '0.0.0.0', prefix: 0, ...both },
  ]);
  for (const none of [seen.none, seen.six, seen.others]) {
    assert.deepEqual(tableRows(none.messages), []);
  }
  assert.deepEqual(
    seen.text.stdout.split('\n').map((line) => line.trim().replace(/ +/g, ' ')),
    ['SUBNET TX RX', `127.0.0.2/31 ${(sent / 1024).toFixed(2).replace('.00', '')} KB 0.50 KB`, ''],
  );
});

for (const way of waysToSpeak) {
  test(`without a list, ${way.name} belongs to this host`, async () => {
    using listener = RawTcp.listen(way);
    const seen = await watch(
      'tcpsubnet',
      { usual: ['--json', '-p', pid, '-i', atEnd], bits: ['-p', pid, '-f', 'b', '-i', atEnd] },
      () => {
        using client = RawTcp.open(way);
        client.connect(way, listener.port);
        using server = listener.accept();
        client.send(1000);
        server.receive(1000);
      },
    );
    const prefix = way.ip === 4 ? 32 : 128;
    const subnet = `${way.shown}/${prefix}`;
    assert.deepEqual(tableRows(seen.usual.messages), [{ subnet, network: way.shown, prefix, tx: 1000, rx: 1000 }]);
    assert.match(seen.bits.stdout, new RegExp(`\\n${subnet} +8000 bit\\n$`));
  });
}

test('what is no subnet is refused, and so are too many', async () => {
  const wrong = await runTool('tcpsubnet', ['127.0.0.1/33']);
  assert.deepEqual([wrong.code, /'127\.0\.0\.1\/33' is not a subnet/.test(wrong.stderr)], [2, true], wrong.stderr);
  const many = await runTool('tcpsubnet', [Array.from({ length: 65 }, (_, i) => `10.0.0.${i}`).join(',')]);
  assert.deepEqual([many.code, /65 subnets are too many/.test(many.stderr)], [2, true], many.stderr);
});
