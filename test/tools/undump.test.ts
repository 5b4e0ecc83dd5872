import assert from 'node:assert/strict';
import { closeSync } from 'node:fs';
import { test } from 'node:test';
import { mustSyscall } from '../helpers/syscall.ts';
import { watch } from '../helpers/watch.ts';

const AF_UNIX = 1;
const SOCK_STREAM = 1;
const SOCK_DGRAM = 2;
const SOCK_SEQPACKET = 5;
const MSG_PEEK = 2;

function socketPair(type: number): [number, number] {
  const pair = new Uint8Array(8);
  mustSyscall('socketpair', AF_UNIX, type, 0, pair);
  const [one = 0, other = 0] = new Int32Array(pair.buffer);
  return [one, other];
}

test('what is received is shown, and not what was received before', async () => {
  const [one, other] = socketPair(SOCK_STREAM);
  const [first, second] = socketPair(SOCK_DGRAM);
  const own = ['-p', String(process.pid)];
  const room = Buffer.alloc(4096);
  const send = (fd: number, text: string) => mustSyscall('write', fd, Buffer.from(text), text.length);
  const { json, short, text } = await watch(
    'undump',
    { json: ['--json', ...own], short: ['--json', '-s', '4', ...own], text: own },
    () => {
      send(one, 'kscope\0\x1b[1m and more');
      mustSyscall('read', other, room, 6);
      mustSyscall('read', other, room, 4096);
      send(first, `kscope ${'y'.repeat(300)}`);
      mustSyscall('read', second, room, 4096);
      send(first, 'kscope datagram');
      // The rest of it is gone.
      mustSyscall('read', second, room, 10);
    },
  );
  [one, other, first, second].forEach(closeSync);
  // What this process hears from its own children is not of interest.
  const rows = (of: typeof json) => {
    const at = of.rows.findIndex(({ data, size }) => size === 6 && String(data).startsWith('ksco'));
    return of.rows.slice(at, at + 4).map(({ size, data, truncated }) => [size, data, truncated]);
  };
  assert.deepEqual(rows(json), [
    [6, 'kscope', undefined],
    [14, '\\x00\\x1b[1m and more', undefined],
    [307, `kscope ${'y'.repeat(249)}`, true],
    [10, 'kscope dat', undefined],
  ]);
  assert.deepEqual(rows(short), [
    [6, 'ksco', true],
    [14, '\\x00\\x1b[1', true],
    [307, 'ksco', true],
    [10, 'ksco', true],
  ]);
  assert.match(text.stdout, /^TIME +COMM +PID +SIZE +DATA\n/);
  assert.match(text.stdout, / 307 kscope y+\.\.\.\n/);
});

test('records are shown like datagrams, and what is only looked at, each time', async () => {
  const pairs = [SOCK_STREAM, SOCK_DGRAM, SOCK_SEQPACKET].map(socketPair);
  const room = Buffer.alloc(64);
  const { json } = await watch('undump', { json: ['--json', '-p', String(process.pid)] }, () => {
    for (const [i, [one, other]] of pairs.entries()) {
      const text = `kscope ${i}`;
      mustSyscall('write', one, Buffer.from(text), text.length);
      for (const [length, flags] of [
        [8, MSG_PEEK],
        [4, MSG_PEEK],
        [64, 0],
      ] as const) {
        mustSyscall('recvfrom', other, room, length, flags, 0, 0);
      }
    }
  });
  pairs.flat().forEach(closeSync);
  const shown = json.rows.filter(({ data }) => /^ksco/.test(String(data))).map(({ size, data }) => [size, data]);
  assert.deepEqual(
    shown,
    [0, 1, 2].flatMap((i) => [
      [8, `kscope ${i}`],
      [4, 'ksco'],
      [8, `kscope ${i}`],
    ]),
  );
});

test('long ones have their size, and their beginning as far as it is not in pages', async () => {
  const pairs = [SOCK_STREAM, SOCK_DGRAM].map(socketPair);
  const sizes = [3000, 4096, 5000, 8192, 20_000, 32_768];
  const room = Buffer.alloc(65_536);
  const { json } = await watch('undump', { json: ['--json', '-s', '16', '-p', String(process.pid)] }, () => {
    for (const [one, other] of pairs) {
      for (const size of sizes) {
        mustSyscall('write', one, Buffer.alloc(size, 'x'), size);
        assert.equal(mustSyscall('read', other, room, room.length), size);
      }
    }
  });
  pairs.flat().forEach(closeSync);
  // What comes later is what the process hears from its own children.
  const rows = json.rows
    .filter(({ data, size }) => /^x*$/.test(String(data)) && sizes.includes(Number(size)))
    .slice(0, 2 * sizes.length);
  assert.deepEqual(
    rows.map(({ size }) => size),
    [...sizes, ...sizes],
  );
  assert.ok(rows.every(({ truncated }) => truncated === true));
  // A stream is free to keep all of it in pages, and never shows what else is in memory.
  assert.deepEqual(
    [...new Set(rows.map(({ data }) => data))].filter((data) => data !== ''),
    ['x'.repeat(16)],
  );
  assert.ok(rows.slice(sizes.length).every(({ data }) => data === 'x'.repeat(16)));
});
