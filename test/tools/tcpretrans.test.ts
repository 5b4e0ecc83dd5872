import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { canAttach } from '../../lib/bpf/hooks.ts';
import { RawTcp } from '../helpers/raw-tcp.ts';
import { type JsonMessage, runTool, startTool } from '../helpers/run-tool.ts';
import { SilentCgroup } from '../helpers/silent-cgroup.ts';
import { type WayToSpeak, waysToSpeak } from '../helpers/tcp-conversation.ts';
import { until } from '../helpers/until.ts';
import { timeless } from '../helpers/watch.ts';

/** A connection of this process; what one end sends is lost while the other is deaf. */
class Line implements Disposable {
  readonly listener: RawTcp;
  readonly client: RawTcp;
  readonly server: RawTcp;
  readonly ports: { readonly lport: number; readonly dport: number };

  constructor(way: WayToSpeak, segment?: number) {
    this.listener = RawTcp.listen(way);
    this.client = RawTcp.open(way);
    if (segment !== undefined) {
      this.client.limitSegments(segment);
    }
    this.client.connect(way, this.listener.port);
    this.server = this.listener.accept();
    this.ports = { lport: this.client.port, dport: this.listener.port };
  }

  /** Whether a row is of what the client sent. */
  has(row: JsonMessage): boolean {
    return row.lport === this.ports.lport && row.dport === this.ports.dport;
  }

  [Symbol.dispose](): void {
    this.client[Symbol.dispose]();
    this.server[Symbol.dispose]();
    this.listener[Symbol.dispose]();
  }
}

/** How many retransmissions the kernel says that it could not send. */
function failedRetransmits(): number {
  const [names = [], values = []] = readFileSync('/proc/net/netstat', 'utf8')
    .split('\n')
    .filter((line) => line.startsWith('TcpExt: '))
    .map((line) => line.split(' '));
  return Number(values[names.indexOf('TCPRetransFail')]);
}

for (const way of waysToSpeak) {
  test(`over ${way.name}, each segment that was sent again is one row: first a probe, then again and again`, async () => {
    using line = new Line(way);
    await using tool = startTool('tcpretrans', ['--json', way.ip === 4 ? '-4' : '-6']);
    await using other = startTool('tcpretrans', ['--json', way.ip === 4 ? '-6' : '-4']);
    await using counting = startTool('tcpretrans', ['--json', '-c']);
    await using text = startTool('tcpretrans', ['-s']);
    await Promise.all([tool, other, counting, text].map((one) => one.ready()));
    line.server.deafen();
    line.client.send(100);
    let again = 0;
    await tool.row((row) => line.has(row) && row.kind === 'RETRANSMIT' && ++again === 2, 'two retransmits');
    line.server.hear();
    line.server.receive(100);
    const sent = line.client.retransmits;
    const rows = (await tool.end()).rows.filter((row) => line.has(row));
    assert.equal(rows.length, sent);
    const [seq] = rows.map((row) => row.seq);
    assert.ok(Number(seq) > 0);
    const row = { ip: way.ip, saddr: way.shown, daddr: way.shown, ...line.ports, state: 'ESTABLISHED', seq, size: 100 };
    assert.deepEqual(
      timeless(rows),
      rows.map((_, i) => ({ kind: i === 0 ? 'LOSS_PROBE' : 'RETRANSMIT', ...row })),
    );
    assert.deepEqual(
      (await other.end()).rows.filter((one) => line.has(one)),
      [],
    );
    const [table] = (await counting.end()).messages.filter(({ type }) => type === 'table');
    const counts = ((table?.rows ?? []) as JsonMessage[]).filter((one) => line.has(one));
    assert.deepEqual(counts, [{ saddr: way.shown, daddr: way.shown, ...line.ports, count: sent }]);
    const { stdout } = await text.end();
    assert.match(stdout, /^TIME +IP LADDR +LPORT T +RADDR +RPORT STATE +SEQ\n/);
    const lines = stdout.split('\n').filter((one) => one.includes(` ${line.ports.lport} `));
    assert.deepEqual(
      lines.map((one) => one.replace(/^\d\d:\d\d:\d\d +/, '').replace(/ +/g, ' ')),
      rows.map(
        (_, i) =>
          `${way.ip} ${way.shown} ${line.ports.lport} ${i === 0 ? 'L>' : 'R>'} ${way.shown} ${line.ports.dport} ESTABLISHED ${seq}`,
      ),
    );
  });

  test(`over ${way.name}, SYN and SYN-ACK are sent again until they are answered`, async () => {
    using listener = RawTcp.listen(way);
    using client = RawTcp.open(way);
    await using tool = startTool('tcpretrans', ['--json']);
    await tool.ready();
    client.deafen();
    client.connect(way, listener.port);
    const ends = { ip: way.ip, saddr: way.shown, daddr: way.shown };
    const there = { lport: client.port, dport: listener.port };
    const back = { lport: listener.port, dport: client.port };
    const find = (kind: string, ports: typeof there) =>
      tool.row((row) => row.kind === kind && row.lport === ports.lport && row.dport === ports.dport, kind);
    const [syn, synAck] = await Promise.all([find('RETRANSMIT', there), find('SYN_ACK', back)]);
    const [first, second] = timeless([syn, synAck].map(({ seq, ...row }) => row as JsonMessage));
    assert.deepEqual(first, { kind: 'RETRANSMIT', ...ends, ...there, state: 'SYN_SENT', size: 1 });
    assert.deepEqual(second, { kind: 'SYN_ACK', ...ends, ...back, state: 'NEW_SYN_RECV', size: 1 });
  });
}

test('what could not be sent again is no row', async () => {
  const [way] = waysToSpeak;
  using group = new SilentCgroup();
  using line = group.inside(() => new Line(way));
  await using tool = startTool('tcpretrans', ['--json']);
  await tool.ready();
  line.server.deafen();
  line.client.send(100);
  await tool.row((row) => line.has(row), 'a first one');
  const before = failedRetransmits();
  group.silence();
  await until(() => failedRetransmits() > before);
  group.permit();
  const failed = failedRetransmits() - before;
  const { length } = tool.rows.filter((row) => line.has(row));
  let seen = 0;
  await tool.row((row) => line.has(row) && ++seen > length, 'another one');
  line.server.hear();
  line.server.receive(100);
  const tried = line.client.retransmits;
  const rows = (await tool.end()).rows.filter((row) => line.has(row));
  assert.equal(rows.length, tried - failed);
});

test('a probe that sends new data is shown with -l, where the kernel lets itself be probed', async (t) => {
  const lacking = ['fentry', 'kprobe'].map((kind) => canAttach(`${kind}/tcp_send_loss_probe`));
  if (lacking.every(({ supported }) => supported === false)) {
    const { code, stderr } = await runTool('tcpretrans', ['-l']);
    assert.equal(code, 3, stderr);
    t.skip(lacking.map(({ reason }) => reason).join('; '));
    return;
  }
  const [way] = waysToSpeak;
  using line = new Line(way, 1000);
  await using tool = startTool('tcpretrans', ['--json', '-l']);
  await using without = startTool('tcpretrans', ['--json']);
  await Promise.all([tool.ready(), without.ready()]);
  line.server.deafen();
  // More than a connection sends at first, less than the other side has room for.
  line.client.send(30_000);
  await Promise.all([tool, without].map((one) => one.row((row) => line.has(row) && row.kind === 'RETRANSMIT')));
  const rows = async (from: typeof tool) =>
    (await from.end()).rows.filter((row) => line.has(row)).map(({ kind, seq }) => ({ kind, seq: Number(seq) }));
  const [probe = { kind: '', seq: 0 }, retransmit = { kind: '', seq: 0 }, ...more] = await rows(tool);
  assert.deepEqual([probe.kind, retransmit.kind], ['LOSS_PROBE', 'RETRANSMIT']);
  // The probe is beyond what was sent before, what is sent again begins there.
  assert.ok((probe.seq - retransmit.seq) >>> 0 >= 5000, `${probe.seq} ${retransmit.seq}`);
  assert.ok(more.every(({ kind }) => kind === 'RETRANSMIT'));
  assert.ok((await rows(without)).every(({ kind }) => kind === 'RETRANSMIT'));
});
