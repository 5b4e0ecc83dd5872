import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Distribution, distributionsIn } from '../helpers/distribution.ts';
import { RawTcp } from '../helpers/raw-tcp.ts';
import { runTool } from '../helpers/run-tool.ts';
import { waysToSpeak } from '../helpers/tcp-conversation.ts';
import { watch } from '../helpers/watch.ts';

const other = { 4: '192.0.2.1', 6: '2001:db8::1' } as const;

for (const way of waysToSpeak) {
  test(`over ${way.name}, each segment that comes counts with the time that the kernel knows`, async () => {
    using listener = RawTcp.listen(way);
    using client = RawTcp.open(way);
    const port = String(listener.port);
    const of = ['--json', '-P', port];
    let known = 0;
    let segments = 0;
    let server: RawTcp | undefined;
    const seen = await watch(
      'tcprtt',
      {
        all: of,
        addresses: [...of, '-m', '-b', '-B'],
        remote: [...of, '-B', '-A', way.shown, '-a', way.shown, way.ip === 4 ? '-4' : '-6'],
        otherFamily: ['--json', '-p', port, way.ip === 4 ? '-6' : '-4'],
        otherAddress: [...of, way.bind === '::' ? '-a' : '-A', other[way.ip]],
      },
      () => {
        client.connect(way, listener.port);
        server = listener.accept();
        // The SYN-ACK is measured; what comes then finds that time, and measures nothing.
        known = client.roundTripTime;
        for (let i = 0; i < 20; i++) {
          server.send(10);
        }
        client.receive(200);
        // The SYN-ACK met no established connection.
        segments = client.segmentsReceived - 1;
      },
    );
    server?.[Symbol.dispose]();
    assert.ok(segments >= 1 && segments <= 20);
    const only = (of: { readonly messages: Parameters<typeof distributionsIn>[0] }): Distribution => {
      const [one, ...more] = distributionsIn(of.messages);
      assert.ok(one !== undefined && more.length === 0);
      return one;
    };
    const all = only(seen.all);
    assert.deepEqual([all.unit, all.count, all.total], ['usecs', segments, segments * known]);
    const bucket = all.buckets.find(({ from, to }) => from <= known && known <= to);
    assert.equal(bucket?.count, segments);
    const addresses = only(seen.addresses);
    assert.equal(addresses.unit, 'msecs');
    assert.ok(Math.abs(addresses.total - (segments * known) / 1000) < 1e-6);
    assert.deepEqual(
      [addresses, only(seen.remote)].map(({ laddr, raddr, count }) => ({ laddr, raddr, count })),
      [
        { laddr: way.shown, raddr: way.shown, count: segments },
        { laddr: undefined, raddr: way.shown, count: segments },
      ],
    );
    for (const none of [seen.otherFamily, seen.otherAddress]) {
      assert.deepEqual(distributionsIn(none.messages), []);
    }
  });
}

test('text has a section for each address, with the average; -i and -d are times', async () => {
  const [way] = waysToSpeak;
  using listener = RawTcp.listen(way);
  using client = RawTcp.open(way);
  const seen = await watch('tcprtt', { text: ['-B', '-e', '-T', '-i', '3600', '-P', String(listener.port)] }, () => {
    client.connect(way, listener.port);
    using server = listener.accept();
    server.send(10);
    client.receive(10);
  });
  assert.match(
    seen.text.stdout,
    /^\d\d:\d\d:\d\d\nremote address = 127\.0\.0\.1\n +usecs +: count +distribution\n(.*\n)* *avg = \d/,
  );
  const ended = await runTool('tcprtt', ['-d', '0.2', '-i', '0.1', '-T', '-P', String(listener.port)]);
  assert.equal(ended.code, 0, ended.stderr);
  assert.ok(ended.stdout.split('\n').filter((line) => /^\d\d:\d\d:\d\d$/.test(line)).length >= 2, ended.stdout);
});

test('what is no address is refused', async () => {
  const { code, stderr } = await runTool('tcprtt', ['-a', '127.0.0.256']);
  assert.equal(code, 2, stderr);
  assert.match(stderr, /'127\.0\.0\.256' is not a valid IP address/);
});
