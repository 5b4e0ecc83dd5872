import assert from 'node:assert/strict';
import { test } from 'node:test';
import { congestionState, RawTcp } from '../helpers/raw-tcp.ts';
import { waysToSpeak } from '../helpers/tcp-conversation.ts';
import { watch } from '../helpers/watch.ts';

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) {
    await new Promise((resolve) => setImmediate(resolve));
  }
}

for (const way of waysToSpeak) {
  test(`over ${way.name}, each segment that comes shows the windows as the socket has them`, async () => {
    using listener = RawTcp.listen(way);
    using client = RawTcp.open(way);
    client.useReno();
    const port = String(listener.port);
    let server: RawTcp | undefined;
    const known = { before: client.windows, after: client.windows, segments: 0, sndbuf: 0, srtt: 0 };
    const seen = await watch(
      'tcpwin',
      {
        client: ['--json', '-D', port],
        server: ['--json', '-L', port, way.ip === 4 ? '-4' : '-6'],
        otherFamily: ['--json', '-D', port, way.ip === 4 ? '-6' : '-4'],
        otherPort: ['--json', '-D', port, '-L', port],
      },
      async () => {
        client.connect(way, listener.port);
        server = listener.accept();
        // The SYN-ACK met no established connection.
        const before = client.segmentsReceived;
        known.before = client.windows;
        known.srtt = client.roundTripTime;
        known.sndbuf = client.sendBuffer;
        server.send(10);
        client.receive(10);
        known.segments = client.segmentsReceived - before;
        // Its answer gets lost, and so a timer sends again.
        client.deafen();
        client.send(10);
        await until(() => client.congestionState === congestionState.loss);
        known.after = client.windows;
        client.hear();
        server.receive(10);
        await until(() => client.congestionState === congestionState.open);
      },
    );
    server?.[Symbol.dispose]();
    assert.equal(known.segments, 1);
    const ends = { ip: way.ip, saddr: way.shown, lport: client.port, daddr: way.shown, dport: listener.port };
    const [data = {}, answer = {}, ...rest] = seen.client.rows as readonly Readonly<Record<string, unknown>>[];
    const { ip, saddr, lport, daddr, dport } = data;
    assert.deepEqual({ ip, saddr, lport, daddr, dport }, ends);
    assert.deepEqual(
      [data.cwnd, data.ssthresh, data.in_flight, data.sndbuf, data.wmem_queued, data.srtt],
      [known.before.cwnd, undefined, 0, known.sndbuf, 0, known.srtt * 1000],
    );
    // What was sent has been given up for lost, and was sent again.
    assert.deepEqual(
      [answer.cwnd, answer.ssthresh, answer.in_flight, answer.skaddr],
      [known.after.cwnd, known.after.ssthresh, 1, data.skaddr],
    );
    assert.ok(Number(answer.wmem_queued) > 10 && known.after.ssthresh < known.before.cwnd);
    assert.ok(rest.length <= 1);
    assert.ok(seen.server.rows.length >= 2);
    assert.ok(seen.server.rows.every((row) => row.lport === listener.port && row.dport === client.port));
    assert.deepEqual([...seen.otherFamily.rows, ...seen.otherPort.rows], []);
  });
}

test('text has what plots are made of, and with -w all', async () => {
  const [way] = waysToSpeak;
  using listener = RawTcp.listen(way);
  using client = RawTcp.open(way);
  const port = String(listener.port);
  const seen = await watch('tcpwin', { usual: ['-D', port], wide: ['-w', '-D', port] }, () => {
    client.connect(way, listener.port);
    using server = listener.accept();
    server.send(1);
    client.receive(1);
  });
  const words = (text: string) => text.split('\n').map((line) => line.trim().replace(/ +/g, ' '));
  const [header, line = ''] = words(seen.usual.stdout);
  assert.equal(header, 'TIME LADDR LPORT RADDR RPORT CWND SSTHRESH SNDBUF WMEM_Q');
  assert.match(line, new RegExp(`^[\\d:]+ 127\\.0\\.0\\.1 ${client.port} 127\\.0\\.0\\.1 ${port} 10 - \\d+ 0$`));
  const [wide] = words(seen.wide.stdout);
  assert.equal(wide, 'TIME SKADDR LADDR LPORT RADDR RPORT CWND SSTHRESH SNDBUF WMEM_Q FLIGHT SND_WND RCV_WND SRTT_ms');
});
