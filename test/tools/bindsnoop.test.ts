import assert from 'node:assert/strict';
import { openSync } from 'node:fs';
import { test } from 'node:test';
import { familyOf, readSocketAddress, socketAddress } from '../helpers/socket-address.ts';
import { mustSyscall, syscall } from '../helpers/syscall.ts';
import { tableRows } from '../helpers/tables.ts';
import { commOf } from '../helpers/task-fields.ts';
import { timeless, watch } from '../helpers/watch.ts';

const { pid } = process;
const caller = { pid, tid: pid, uid: process.getuid?.(), comm: commOf(process.pid) };
const SOCK_STREAM = 1;
const SOCK_DGRAM = 2;
const EADDRINUSE = 98;
const on = new Uint8Array(Int32Array.of(1).buffer);

interface Option {
  readonly level: number;
  readonly name: number;
}

// The letters F T N R r, in the order of their bits.
const FREEBIND: Option = { level: 0, name: 15 };
const TRANSPARENT: Option = { level: 0, name: 19 };
const NO_PORT: Option = { level: 0, name: 24 };
const REUSEADDR: Option = { level: 1, name: 2 };
const REUSEPORT: Option = { level: 1, name: 15 };

/** Binds a new socket to a free port. @returns its descriptor, and the port that it has then */
function bound(
  address: string,
  type: number,
  options: readonly Option[] = [],
  port = 0,
): { fd: number; port: number; result: number } {
  const fd = mustSyscall('socket', familyOf(address), type, 0);
  for (const { level, name } of options) {
    mustSyscall('setsockopt', fd, level, name, on, on.length);
  }
  const given = socketAddress({ address, port });
  const result = syscall('bind', fd, given, given.length);
  const local = Buffer.alloc(28);
  mustSyscall('getsockname', fd, local, Buffer.from(Uint32Array.of(28).buffer));
  return { fd, port: readSocketAddress(local).port, result };
}

test('each bind is a row with what the socket has then: any family, any protocol, any options', async () => {
  const own = ['--json', '-p', String(pid)];
  const fds: number[] = [];
  const expected: object[] = [];
  let taken = 0;
  const seen = await watch(
    'bindsnoop',
    {
      all: [...own, '-E'],
      good: [...own, '-4'],
      six: [...own, '-6'],
      others: ['--json', '-p', '1'],
      count: ['--json', '-p', String(pid), '--count'],
    },
    () => {
      const cases = [
        { address: '127.0.0.1', type: SOCK_STREAM, ip: 4, addr: '127.0.0.1', set: [], bits: 0 },
        { address: '::1', type: SOCK_DGRAM, ip: 6, addr: '::1', set: [REUSEADDR], bits: 8 },
        { address: '::ffff:127.0.0.1', type: SOCK_STREAM, ip: 4, addr: '127.0.0.1', set: [REUSEPORT], bits: 16 },
        { address: '::', type: SOCK_STREAM, ip: 6, addr: '::', set: [REUSEADDR, REUSEPORT], bits: 24 },
        { address: '192.0.2.77', type: SOCK_DGRAM, ip: 4, addr: '192.0.2.77', set: [FREEBIND], bits: 1 },
        { address: '0.0.0.0', type: SOCK_DGRAM, ip: 4, addr: '0.0.0.0', set: [TRANSPARENT], bits: 2 },
        { address: '127.0.0.1', type: SOCK_STREAM, ip: 4, addr: '127.0.0.1', set: [NO_PORT], bits: 4 },
      ];
      for (const { address, type, ip, addr, set, bits } of cases) {
        const { fd, port, result } = bound(address, type, set);
        assert.equal(result, 0, address);
        fds.push(fd);
        taken ||= port;
        const protocol = type === SOCK_STREAM ? 6 : 17;
        expected.push({ ...caller, ip, protocol, options: bits, ifindex: 0, addr, ...(port > 0 && { port }) });
      }
      const failed = bound('127.0.0.1', SOCK_STREAM, [], taken);
      assert.equal(failed.result, -EADDRINUSE);
      fds.push(failed.fd);
      expected.push({
        ...caller,
        error: EADDRINUSE,
        ip: 4,
        protocol: 6,
        options: 0,
        ifindex: 0,
        addr: '127.0.0.1',
        port: taken,
      });
      // Neither is of the internet.
      const file = openSync('/dev/null', 'r');
      fds.push(file);
      assert.ok(syscall('bind', file, on, 4) < 0);
      const unix = mustSyscall('socket', 1, SOCK_STREAM, 0);
      fds.push(unix);
      mustSyscall('bind', unix, new Uint8Array([1, 0]), 2);
    },
  );
  for (const fd of fds) {
    mustSyscall('close', fd);
  }
  const rows = timeless(seen.all.rows.map(({ cgroup, ...row }) => row as (typeof seen.all.rows)[number]));
  assert.deepEqual(rows, expected);
  const without = (name: 'good' | 'six') =>
    timeless(seen[name].rows.map(({ cgroup, ...row }) => row as (typeof seen.all.rows)[number]));
  const good = (expected as { ip: number; error?: number }[]).filter(({ error }) => error === undefined);
  assert.deepEqual(
    without('good'),
    good.filter(({ ip }) => ip === 4),
  );
  assert.deepEqual(
    without('six'),
    good.filter(({ ip }) => ip === 6),
  );
  assert.deepEqual(seen.others.rows, []);
  assert.equal(
    tableRows(seen.count.messages).reduce((sum, { count }) => sum + Number(count), 0),
    good.length,
  );
});

test('text has letters and names, and shows only the ports asked for', async () => {
  const first = bound('127.0.0.1', SOCK_STREAM);
  mustSyscall('close', first.fd);
  const { text } = await watch(
    'bindsnoop',
    { text: ['-T', '-U', '-x', '-w', '-p', String(pid), '-P', String(first.port)] },
    () => {
      const { fd } = bound('127.0.0.1', SOCK_STREAM, [REUSEADDR, REUSEPORT], first.port);
      const refused = bound('127.0.0.1', SOCK_STREAM, [], first.port);
      mustSyscall('close', fd);
      mustSyscall('close', refused.fd);
      mustSyscall('close', bound('127.0.0.1', SOCK_STREAM).fd);
    },
  );
  const [header = '', ...lines] = text.stdout.trimEnd().split('\n');
  assert.equal(header.trim().replace(/ +/g, ' '), 'TIME UID RC PID COMM PROT IP ADDR PORT OPTS IF');
  assert.deepEqual(
    lines.map((line) => line.trim().split(/ +/).slice(1)),
    [
      [String(caller.uid), '-', String(pid), caller.comm, 'TCP', '4', '127.0.0.1', String(first.port), '...Rr', '0'],
      [
        String(caller.uid),
        'EADDRINUSE',
        String(pid),
        caller.comm,
        'TCP',
        '4',
        '127.0.0.1',
        String(first.port),
        '.....',
        '0',
      ],
    ],
  );
});
