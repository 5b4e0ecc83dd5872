import assert from 'node:assert/strict';
import { test } from 'node:test';
import { kernelEnum } from '../../lib/bpf/kernel-enum.ts';
import { RawTcp } from '../helpers/raw-tcp.ts';
import { type JsonMessage, runTool } from '../helpers/run-tool.ts';
import { ClosedPort } from '../helpers/tcp.ts';
import { connectInVain, waysToSpeak } from '../helpers/tcp-conversation.ts';
import { watch } from '../helpers/watch.ts';

const reasons = new Map([...kernelEnum({ tag: ['skb_drop_reason'] })].map(([number, name]) => [name, number]));

/** What rows say about a drop for this reason; nothing on kernels that give no reasons. */
function why(name: string): { readonly reason?: string; readonly code: number } {
  const code = reasons.get(`SKB_DROP_REASON_${name}`);
  return code === undefined ? { code: 0 } : { reason: name, code };
}

const SYN = 2;
const functionsIn = (row: JsonMessage) => (row.stack as { symbol?: string }[]).map(({ symbol }) => symbol);

for (const way of waysToSpeak) {
  test(`over ${way.name}, a SYN to a port that nobody listens on is one row`, async () => {
    using closed = new ClosedPort(way.bind);
    const { port } = closed.endpoint;
    const seen = await watch(
      'tcpdrop',
      {
        all: ['--json'],
        here: ['--json', way.ip === 4 ? '-4' : '-6', '--pid-netns', String(process.pid)],
        otherFamily: ['--json', way.ip === 4 ? '-6' : '-4'],
        elsewhere: ['--json', '-n', '1'],
      },
      () => connectInVain(way.dial, port),
    );
    for (const rows of [seen.all.rows, seen.here.rows]) {
      const [row = { type: '' }, ...more] = rows.filter(({ dport }) => dport === port);
      assert.deepEqual(more, []);
      const { type: _, time: __, sport, netns, stack, ...rest } = row;
      assert.deepEqual(rest, {
        ip: way.ip,
        saddr: way.shown,
        daddr: way.shown,
        dport: port,
        flags: SYN,
        ...why('NO_SOCKET'),
      });
      assert.ok(Number(sport) > 0 && Number(netns) > 0);
      assert.ok(functionsIn(row).includes(way.ip === 4 ? 'tcp_v4_rcv' : 'tcp_v6_rcv'), JSON.stringify(stack));
    }
    for (const none of [seen.otherFamily, seen.elsewhere]) {
      assert.deepEqual(
        none.rows.filter(({ dport }) => dport === port),
        [],
      );
    }
  });
}

test('what a filter of the socket refuses is shown, with the state of the socket where the kernel tells', async () => {
  const [way] = waysToSpeak;
  using listener = RawTcp.listen(way);
  using client = RawTcp.open(way);
  const held: RawTcp[] = [];
  const of = (row: JsonMessage) => row.sport === client.port && row.dport === listener.port;
  const seen = await watch('tcpdrop', { json: ['--json'], text: [] }, async ({ json, text }) => {
    client.connect(way, listener.port);
    const server = listener.accept();
    held.push(server);
    server.deafen();
    client.send(100);
    await json.row(of, 'the drop');
    await text.until(({ stdout }) => stdout.includes(`127.0.0.1:${client.port} `), 'the drop');
  });
  const [row = { type: '' }] = seen.json.rows.filter(of);
  const { reason, code, state, flags } = row;
  assert.deepEqual({ reason, code }, { reason: undefined, ...why('SOCKET_FILTER') });
  assert.equal(flags, 0x18);
  assert.ok(state === undefined || state === 'ESTABLISHED', String(state));
  const lines = seen.text.stdout.split('\n');
  assert.equal(lines[0]?.trim().replace(/ +/g, ' '), 'TIME IP SADDR:SPORT > DADDR:DPORT STATE FLAGS REASON');
  const at = lines.findIndex((line) => line.includes(`127.0.0.1:${client.port} `));
  assert.match(
    lines[at] ?? '',
    new RegExp(
      `^\\d\\d:\\d\\d:\\d\\d +4 127\\.0\\.0\\.1:${client.port} +> 127\\.0\\.0\\.1:${listener.port} +(-|ESTABLISHED) +PSH\\|ACK +${reason ?? '-'}$`,
    ),
  );
  assert.match(lines[at + 1] ?? '', /^ +\w/);
  for (const one of held) {
    one[Symbol.dispose]();
  }
});

test('a process without a network namespace is refused', async () => {
  const { code, stderr } = await runTool('tcpdrop', ['--pid-netns', String(2 ** 22)]);
  assert.equal(code, 2, stderr);
});
