import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { RawTcp } from '../helpers/raw-tcp.ts';
import type { JsonMessage } from '../helpers/run-tool.ts';
import { ClosedPort } from '../helpers/tcp.ts';
import { connectInVain, TcpListener, waysToSpeak } from '../helpers/tcp-conversation.ts';
import { timeless, watch } from '../helpers/watch.ts';

// Alone: all sockets of the machine change their states.

const comm = readFileSync('/proc/self/comm', 'utf8').trim();
const owner = { pid: process.pid, comm };

/** Each socket's rows in their order, told apart by its address; times and addresses are left out. */
function bySocket(rows: readonly JsonMessage[]): object[][] {
  const sockets = new Map<unknown, object[]>();
  for (const { time, type, skaddr, duration, ...row } of rows) {
    assert.match(String(skaddr), /^0x[0-9a-f]{16}$/);
    sockets.set(skaddr, [...(sockets.get(skaddr) ?? []), { ...row, timed: typeof duration === 'number' }]);
  }
  return [...sockets.values()];
}

function untimed(rows: readonly JsonMessage[]): object[] {
  return timeless(rows.map(({ duration, ...row }) => row as JsonMessage));
}

test('an IPv6 socket that listens at an IPv4 address speaks IPv4', async () => {
  let port = 0;
  const { four } = await watch('tcpstates', { four: ['--json', '-4', '-p', String(process.pid)] }, () => {
    using listener = RawTcp.listen({ bind: '::ffff:127.0.0.1' });
    port = listener.port;
  });
  const own = four.rows.filter(({ lport }) => lport === port);
  assert.deepEqual(
    own.map(({ ip, saddr, daddr, oldstate, newstate }) => [ip, saddr, daddr, oldstate, newstate]),
    [
      [4, '127.0.0.1', '0.0.0.0', 'CLOSE', 'LISTEN'],
      [4, '127.0.0.1', '0.0.0.0', 'LISTEN', 'CLOSE'],
    ],
  );
});

for (const way of waysToSpeak) {
  test(`both ends of a conversation over ${way.name} show all their states, and whose they are`, async () => {
    const listener = await TcpListener.open(way);
    let port = 0;
    const seen = await watch(
      'tcpstates',
      {
        server: ['--json', '-L', String(listener.port)],
        client: ['--json', '-D', `1,${listener.port}`],
        own: ['--json', '-L', String(listener.port), '-p', String(process.pid)],
        others: ['--json', '-L', String(listener.port), '-p', '1'],
        four: ['--json', '-D', String(listener.port), '-4'],
        six: ['--json', '-D', String(listener.port), '-6'],
      },
      async () => {
        const conversation = await listener.connect();
        port = conversation.port;
        await conversation.send('client', 5);
        await conversation.close('client');
        await listener[Symbol.asyncDispose]();
      },
    );
    const client = { ip: way.ip, saddr: way.shown, daddr: way.shown, dport: listener.port };
    const states = (names: readonly string[], row: (i: number) => object, timed: (i: number) => boolean) =>
      names.slice(1).map((newstate, i) => ({ ...row(i), oldstate: names[i], newstate, timed: timed(i) }));
    const clientRows = states(
      ['CLOSE', 'SYN_SENT', 'ESTABLISHED', 'FIN_WAIT1', 'FIN_WAIT2', 'CLOSE'],
      (i) => ({ ...owner, ...client, ...(i > 0 && { lport: port }) }),
      (i) => i > 0,
    );
    assert.deepEqual(bySocket(seen.client.rows), [clientRows]);
    assert.deepEqual(untimed(way.ip === 4 ? seen.four.rows : seen.six.rows), untimed(seen.client.rows));
    assert.deepEqual(way.ip === 4 ? seen.six.rows : seen.four.rows, []);

    // Where the other end is may not be known to the first change of a socket that comes in.
    const [[first = {}, ...rest] = [], closing = [], ...more] = bySocket(seen.server.rows) as Record<
      string,
      unknown
    >[][];
    assert.deepEqual(more, []);
    assert.deepEqual(
      [first.oldstate, first.newstate, first.lport, first.pid, first.timed],
      ['LISTEN', 'SYN_RECV', listener.port, undefined, false],
    );
    assert.deepEqual(
      rest,
      states(
        ['SYN_RECV', 'ESTABLISHED', 'CLOSE_WAIT', 'LAST_ACK', 'CLOSE'],
        (i) => ({
          ...(i > 0 && owner),
          ip: way.ip,
          saddr: way.shown,
          lport: listener.port,
          daddr: way.shown,
          dport: port,
        }),
        () => true,
      ),
    );
    // The listener's beginning was not seen.
    assert.deepEqual(
      closing.map(({ oldstate, newstate, pid, lport, timed }) => ({ oldstate, newstate, pid, lport, timed })),
      [{ oldstate: 'LISTEN', newstate: 'CLOSE', pid: process.pid, lport: listener.port, timed: false }],
    );
    assert.deepEqual(untimed(seen.own.rows), untimed(seen.server.rows.filter(({ pid }) => pid !== undefined)));
    assert.deepEqual(seen.others.rows, []);
  });
}

test('a refused connection goes back to CLOSE with its ports', async () => {
  const [way] = waysToSpeak;
  using closed = new ClosedPort(way.bind);
  const { port } = closed.endpoint;
  const seen = await watch(
    'tcpstates',
    { rows: ['--json', '-D', String(port)], text: ['-w', '-D', String(port)], csv: ['-s', '-D', String(port)] },
    () => connectInVain(way.dial, port),
  );
  const rows = timeless(seen.rows.rows) as Record<string, unknown>[];
  assert.deepEqual(
    rows.map(({ oldstate, newstate, pid, lport, dport }) => [oldstate, newstate, pid, lport !== undefined, dport]),
    [
      ['CLOSE', 'SYN_SENT', process.pid, false, port],
      ['SYN_SENT', 'CLOSE', process.pid, true, port],
    ],
  );
  const [names = '', ...values] = seen.csv.stdout.trimEnd().split('\n');
  assert.deepEqual(
    values.map((line) => line.split(',')[names.split(',').indexOf('newstate')]),
    ['SYN_SENT', 'CLOSE'],
  );
  const [header = '', ...lines] = seen.text.stdout.trimEnd().split('\n');
  assert.deepEqual(
    header.split(/ +/).filter(Boolean).join(' '),
    'SKADDR PID COMM IP LADDR LPORT RADDR RPORT OLDSTATE NEWSTATE MS',
  );
  assert.equal(lines.length, 2);
  assert.match(
    lines[0] ?? '',
    new RegExp(`^[0-9a-f]{16} +${process.pid} .* 4 127\\.0\\.0\\.1 +- 127\\.0\\.0\\.1 +${port} CLOSE +SYN_SENT +-$`),
  );
  assert.match(lines[1] ?? '', / SYN_SENT +CLOSE +\d+\.\d{3}$/);
});
