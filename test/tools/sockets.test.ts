import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { readFileSync, readlinkSync, statSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { canAttach } from '../../lib/bpf/hooks.ts';
import { Actor } from '../helpers/actor.ts';
import { enterNetwork } from '../helpers/network-namespace.ts';
import { RawTcp } from '../helpers/raw-tcp.ts';
import { runTool } from '../helpers/run-tool.ts';
import { AF_INET6, socketAddress } from '../helpers/socket-address.ts';
import { tableRows } from '../helpers/tables.ts';
import { waysToSpeak } from '../helpers/tcp-conversation.ts';
import { TemporaryDirectory } from '../helpers/temporary-directory.ts';

const comm = readFileSync('/proc/self/comm', 'utf8').trim();
const { pid } = process;
const netns = statSync('/proc/self/ns/net').ino;
const uid = process.getuid?.();
const inodeOf = (fd: number) => /\d+/.exec(readlinkSync(`/proc/self/fd/${fd}`))?.[0];

/** Rows of one run, without the address in the kernel. */
async function list(...args: string[]): Promise<object[]> {
  const { code, stderr, messages } = await runTool('sockets', ['--json', ...args]);
  assert.equal(code, 0, stderr);
  return tableRows(messages).map(({ sk, ...row }) => {
    assert.match(String(sk), /^0xf/);
    return row;
  });
}

for (const way of waysToSpeak) {
  test(`over ${way.name}, listening and connected TCP sockets are there with their queues`, async () => {
    using listener = RawTcp.listen(way);
    using client = RawTcp.open(way);
    client.connect(way, listener.port);
    using server = listener.accept();
    using waiting = RawTcp.open(way);
    waiting.connect(way, listener.port);
    client.send(100);
    const of = { uid, netns };
    const own = (fd: number) => ({ kind: 'TCP', pid, fd, comm, inode: inodeOf(fd), ...of });
    const listening = {
      ...own(listener.fd),
      state: 'LISTEN',
      ip: way.bind === '::' ? 6 : way.ip,
      saddr: way.bind,
      lport: listener.port,
      rxq: 1,
      txq: 16,
    };
    const ends = { state: 'ESTABLISHED', ip: way.ip, saddr: way.shown, daddr: way.shown, rxq: 0, txq: 0 };
    const at = (one: RawTcp) => ({ ...own(one.fd), ...ends, lport: one.port, dport: listener.port });
    // Nobody has accepted this one: it has neither a file nor a process.
    const unaccepted = { kind: 'TCP', ...of, ...ends, inode: '0', uid: 0, lport: listener.port, dport: waiting.port };
    const all = (await list('-P', String(listener.port))) as { lport?: number; dport?: number; pid?: number }[];
    const byPorts = (rows: { lport?: number; dport?: number }[]) =>
      rows.sort((a, b) => Number(a.lport) - Number(b.lport) || Number(a.dport ?? 0) - Number(b.dport ?? 0));
    const expected = [
      at(client),
      at(waiting),
      { ...own(server.fd), ...ends, lport: listener.port, dport: client.port, rxq: 100 },
    ];
    assert.deepEqual(byPorts(all.filter((row) => row.pid === pid)), byPorts([...expected, listening]));
    const [orphan, ...more] = all.filter((row) => row.pid === undefined);
    assert.deepEqual(more, []);
    assert.deepEqual({ ...orphan, uid: 0 }, unaccepted);
    assert.deepEqual(await list('-P', String(listener.port), '-l', '-p', String(pid)), [listening]);
  });
}

test('IPv6 sockets that are bound to an IPv4 address speak IPv4', async () => {
  const address = '::ffff:127.0.0.1';
  using listener = RawTcp.listen({ bind: address });
  const udp = createSocket('udp6').bind(0, address);
  await once(udp, 'listening');
  const bound = [
    { kind: 'TCP', state: 'LISTEN', lport: listener.port },
    { kind: 'UDP', state: 'CLOSE', lport: udp.address().port },
  ];
  for (const { kind, state, lport } of bound) {
    const [row, ...more] = await list('-p', String(pid), '-P', String(lport), '-4');
    assert.deepEqual(more, []);
    assert.deepEqual(
      { ...row, fd: 0, inode: '0', rxq: 0, txq: 0 },
      {
        ...{ kind, state, pid, fd: 0, comm, uid, netns, inode: '0', ip: 4, saddr: '127.0.0.1', lport, rxq: 0, txq: 0 },
      },
    );
    assert.deepEqual(await list('-p', String(pid), '-P', String(lport), '-6'), []);
  }
  udp.close();
});

test('UDP and UNIX sockets are there with their addresses, and options choose', async () => {
  using folder = new TemporaryDirectory();
  const udp = createSocket('udp6').bind(0, '::1');
  await once(udp, 'listening');
  udp.connect(9, '::1');
  await once(udp, 'connect');
  const { port } = udp.address();
  const path = join(folder.path, 'socket');
  const unix = createServer().listen(path);
  await once(unix, 'listening');
  const [row = {}, ...more] = await list('-p', String(pid), '-u', '--comm', comm, '-6', '-n', String(netns));
  const { fd, inode, ...datagrams } = row as { fd?: number; inode?: string };
  assert.deepEqual(more, []);
  assert.equal(inode, inodeOf(fd ?? -1));
  const ends = { ip: 6, saddr: '::1', lport: port, daddr: '::1', dport: 9 };
  assert.deepEqual(datagrams, { kind: 'UDP', state: 'ESTABLISHED', pid, comm, uid, netns, ...ends, rxq: 0, txq: 0 });
  const named = (
    (await list('-x', '-l', '-p', String(pid))) as { path?: string; kind?: string; state?: string }[]
  ).filter((one) => one.path === path);
  assert.deepEqual(
    named.map(({ kind, state }) => ({ kind, state })),
    [{ kind: 'UNIX_STREAM', state: 'LISTEN' }],
  );
  assert.deepEqual(await list('-p', String(pid), '-u', '-4'), []);
  const { stdout } = await runTool('sockets', ['-x', '-p', String(pid)]);
  assert.match(stdout, /^TYPE +STATE +RX-Q +TX-Q +PID +COMM +FD +LADDR:LPORT +RADDR:RPORT +PATH\n/);
  assert.match(stdout, new RegExp(`^unix stream +LISTEN +0 +0 +${pid} .* - +- +${path}$`, 'm'));
  udp.close();
  unix.close();
});

test('sockets of processes in other network namespaces are there, abstract names have an @', async () => {
  await using actor = await Actor.start();
  await enterNetwork(actor);
  const fd = await actor.mustCall('socket', AF_INET6, 1, 0);
  const address = socketAddress({ address: '::', port: 4711 });
  await actor.mustCall('bind', fd, address, address.length);
  await actor.mustCall('listen', fd, 5);
  const unix = await actor.mustCall('socket', 1, 2, 0);
  const name = Buffer.concat([Uint8Array.of(1, 0, 0), Buffer.from(`kscope-${pid}`)]);
  await actor.mustCall('bind', unix, name, name.length);
  const there = statSync(`/proc/${actor.pid}/ns/net`).ino;
  const rows = (await list('-p', String(actor.pid))) as { inode?: string; fd?: number; kind?: string }[];
  const [tcp = {}] = rows.filter((row) => row.kind === 'TCP').map(({ inode, ...row }) => row);
  assert.deepEqual(tcp, {
    ...{ kind: 'TCP', state: 'LISTEN', pid: actor.pid, fd, comm, uid, netns: there },
    ...{ ip: 6, saddr: '::', lport: 4711, rxq: 0, txq: 5 },
  });
  const [datagram = {}] = rows.filter((row) => row.fd === unix).map(({ inode, ...row }) => row);
  assert.deepEqual(datagram, {
    ...{ kind: 'UNIX_DGRAM', state: 'CLOSE', pid: actor.pid, fd: unix, comm, uid, netns: there, ip: 0 },
    ...{ rxq: 0, txq: 0, path: `@kscope-${pid}` },
  });
});

test('what has no process is there as well, once', async () => {
  const [way] = waysToSpeak;
  const listener = RawTcp.listen(way);
  const client = RawTcp.open(way);
  client.connect(way, listener.port);
  const server = listener.accept();
  const ports = { lport: client.port, dport: listener.port };
  client[Symbol.dispose]();
  server[Symbol.dispose]();
  listener[Symbol.dispose]();
  assert.equal(canAttach('iter/tcp').supported, true);
  const rows = await list('-P', String(ports.dport));
  assert.deepEqual(rows, [
    {
      kind: 'TCP',
      state: 'TIME_WAIT',
      ip: 4,
      saddr: '127.0.0.1',
      daddr: '127.0.0.1',
      ...ports,
      uid: 0,
      inode: '0',
      netns,
      rxq: 0,
      txq: 0,
    },
  ]);
});

test('with an interval the list is made again', async () => {
  const { code, stdout } = await runTool('sockets', ['-T', '-p', String(pid), '0.1', '2']);
  assert.equal(code, 0);
  assert.equal(stdout.split('\n').filter((line) => /^\d\d:\d\d:\d\d$/.test(line)).length, 2);
});
