import assert from 'node:assert/strict';
import { readFileSync, statSync } from 'node:fs';
import { test } from 'node:test';
import { Actor } from '../helpers/actor.ts';
import { enterNetwork } from '../helpers/network-namespace.ts';
import { AF_INET6, familyOf, readSocketAddress, socketAddress } from '../helpers/socket-address.ts';
import { mustSyscall, syscall } from '../helpers/syscall.ts';
import { timeless, watch } from '../helpers/watch.ts';

const { pid } = process;
const comm = readFileSync('/proc/self/comm', 'utf8').trim();
const netns = statSync('/proc/self/ns/net').ino;
const somaxconn = Number(readFileSync('/proc/sys/net/core/somaxconn', 'utf8'));
const EADDRINUSE = 98;

function bound(address: string, port = 0): { fd: number; port: number } {
  const fd = mustSyscall('socket', familyOf(address), 1, 0);
  const on = new Uint8Array(Int32Array.of(1).buffer);
  // So that two can be bound to a port of which only one can listen.
  mustSyscall('setsockopt', fd, 1, 2, on, on.length);
  const local = Buffer.concat([socketAddress({ address, port }), Buffer.alloc(28)]);
  mustSyscall('bind', fd, local, familyOf(address) === AF_INET6 ? 28 : 16);
  mustSyscall('getsockname', fd, local, Buffer.from(Uint32Array.of(28).buffer));
  return { fd, port: readSocketAddress(local.subarray(0, 28)).port };
}

test('each listen is a row: the first, one that only changes the backlog, and one that fails', async () => {
  const four = bound('127.0.0.1');
  const six = bound('::1');
  const any = bound('::');
  const mapped = bound('::ffff:127.0.0.1');
  const late = bound('127.0.0.1', four.port);
  const of = { pid, tid: pid, uid: process.getuid?.(), comm, netns };
  const expected = [
    { ...of, backlog: 7, ip: 4, addr: '127.0.0.1', port: four.port },
    { ...of, backlog: 9, ip: 4, addr: '127.0.0.1', port: four.port },
    { ...of, backlog: somaxconn, ip: 6, addr: '::1', port: six.port },
    { ...of, backlog: 1, ip: 6, addr: '::', port: any.port },
    { ...of, backlog: 2, ip: 4, addr: '127.0.0.1', port: mapped.port },
    { ...of, error: EADDRINUSE, backlog: 3, ip: 4, addr: '127.0.0.1', port: four.port },
  ];
  await using actor = await Actor.start();
  await enterNetwork(actor);
  const there = statSync(`/proc/${actor.pid}/ns/net`).ino;
  const own = ['--json', '-p', String(pid)];
  const seen = await watch(
    'solisten',
    {
      all: own,
      four: [...own, '-4', '-n', String(netns)],
      there: ['--json', '--pid-netns', String(actor.pid)],
      text: ['-T', '-N', '-p', String(pid)],
    },
    async () => {
      mustSyscall('listen', four.fd, 7);
      mustSyscall('listen', four.fd, 9);
      mustSyscall('listen', six.fd, 2 ** 30);
      mustSyscall('listen', any.fd, 1);
      mustSyscall('listen', mapped.fd, 2);
      assert.equal(syscall('listen', late.fd, 3), -EADDRINUSE);
      assert.ok(syscall('listen', 0, 3) < 0);
      const fd = await actor.mustCall('socket', AF_INET6, 1, 0);
      await actor.mustCall('listen', fd, 5);
    },
  );
  for (const { fd } of [four, six, any, mapped, late]) {
    mustSyscall('close', fd);
  }
  const rows = (name: 'all' | 'four' | 'there') =>
    timeless(seen[name].rows.map(({ cgroup, ...row }) => row as (typeof seen.all.rows)[number]));
  assert.deepEqual(rows('all'), expected);
  assert.deepEqual(
    rows('four'),
    expected.filter(({ ip }) => ip === 4),
  );
  // Nobody gave it a port: the kernel did.
  const [one] = rows('there') as { port?: number; backlog?: number; netns?: number; pid?: number }[];
  assert.deepEqual([rows('there').length, one?.pid, one?.backlog, one?.netns], [1, actor.pid, 5, there]);
  assert.ok(Number(one?.port) > 0);
  const [header = '', first = '', ...lines] = seen.text.stdout.trimEnd().split('\n');
  assert.equal(header.trim().replace(/ +/g, ' '), 'TIME PID COMM NETNS RET BACKLOG PROTO PORT ADDR');
  assert.deepEqual(first.split(/ +/).slice(1), [
    String(pid),
    comm,
    String(netns),
    '-',
    '7',
    'TCPv4',
    String(four.port),
    '127.0.0.1',
  ]);
  assert.match(lines.at(-1) ?? '', / EADDRINUSE +3 TCPv4 /);
});
