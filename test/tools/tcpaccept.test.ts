import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { Actor } from '../helpers/actor.ts';
import { RawTcp } from '../helpers/raw-tcp.ts';
import { AF_INET, socketAddress } from '../helpers/socket-address.ts';
import { mustSyscall, syscall } from '../helpers/syscall.ts';
import { waysToSpeak } from '../helpers/tcp-conversation.ts';
import { timeless, watch } from '../helpers/watch.ts';

const comm = readFileSync('/proc/self/comm', 'utf8').trim();
const { pid } = process;

for (const way of waysToSpeak) {
  test(`each connection accepted over ${way.name} is a row, of the thread that accepts`, async () => {
    using listener = RawTcp.listen(way, 16);
    const port = String(listener.port);
    const clients = [1, 2, 3].map(() => RawTcp.open(way));
    const seen = await watch(
      'tcpaccept',
      {
        all: ['--json', '-P', port],
        own: ['--json', '-P', `1,${port}`, '-p', String(pid), way.ip === 4 ? '-4' : '-6'],
        otherFamily: ['--json', '-P', port, way.ip === 4 ? '-6' : '-4'],
        others: ['--json', '-P', port, '-p', '1'],
        otherPort: ['--json', '-P', '1', '-p', String(pid)],
      },
      () => {
        for (const client of clients) {
          client.connect(way, listener.port);
        }
        for (const _ of clients) {
          listener.accept()[Symbol.dispose]();
        }
      },
    );
    const expected = clients.map((client, i) => ({
      pid,
      tid: pid,
      uid: process.getuid?.(),
      comm,
      ip: way.ip,
      saddr: way.shown,
      lport: listener.port,
      daddr: way.shown,
      dport: client.port,
      // Those that came before were not accepted yet.
      backlog: i,
      backlog_max: 16,
    }));
    const rows = (name: 'all' | 'own') =>
      timeless(seen[name].rows.map(({ cgroup: _, ...row }) => row as (typeof seen.all.rows)[number]));
    assert.deepEqual(rows('all'), expected);
    assert.deepEqual(rows('own'), expected);
    for (const none of [seen.otherFamily, seen.others, seen.otherPort]) {
      assert.deepEqual(none.rows, []);
    }
    for (const client of clients) {
      client[Symbol.dispose]();
    }
  });
}

test('neither a failed call nor a socket of another kind is a row, and the client is not the process', async () => {
  const [way] = waysToSpeak;
  using listener = RawTcp.listen(way);
  await using actor = await Actor.start();
  const AF_UNIX = 1;
  const unix = [1, 2].map(() => mustSyscall('socket', AF_UNIX, 1, 0));
  const [server = -1, client = -1] = unix;
  const name = Buffer.concat([Uint8Array.of(AF_UNIX, 0, 0), Buffer.from(`kscope-${pid}`)]);
  const seen = await watch('tcpaccept', { all: ['--json'], text: ['-T', '-b', '-p', String(pid)] }, async () => {
    assert.ok(syscall('accept4', server, 0, 0, 0) < 0);
    mustSyscall('bind', server, name, name.length);
    mustSyscall('listen', server, 1);
    mustSyscall('connect', client, name, name.length);
    unix.push(mustSyscall('accept4', server, 0, 0, 0));
    const fd = await actor.mustCall('socket', AF_INET, 1, 0);
    const address = socketAddress({ address: way.dial, port: listener.port });
    await actor.mustCall('connect', fd, address, address.length);
    listener.accept()[Symbol.dispose]();
  });
  for (const fd of unix) {
    mustSyscall('close', fd);
  }
  const rows = seen.all.rows.filter((row) => row.pid === pid || row.pid === actor.pid);
  assert.deepEqual(
    rows.map((row) => [row.pid, row.lport]),
    [[pid, listener.port]],
  );
  const [header = '', ...lines] = seen.text.stdout.trimEnd().split('\n');
  assert.equal(header.trim().replace(/ +/g, ' '), 'TIME PID COMM IP RADDR RPORT LADDR LPORT BL');
  assert.equal(lines.length, 1);
  assert.match(
    lines[0] ?? '',
    new RegExp(`^\\d\\d:\\d\\d:\\d\\d +${pid} .* 4 +127\\.0\\.0\\.1 +\\d+ +127\\.0\\.0\\.1 +${listener.port} +0/16$`),
  );
});
