import assert from 'node:assert/strict';
import { closeSync, openSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { pointerTo } from '../helpers/native-arguments.ts';
import { mustSyscall } from '../helpers/syscall.ts';
import { TemporaryDirectory } from '../helpers/temporary-directory.ts';
import { watch } from '../helpers/watch.ts';

const AF_UNIX = 1;
const SOCK_DGRAM = 2;
const SOL_SOCKET = 1;
const SCM_RIGHTS = 1;

/** A message of one byte with these pieces of control data, and what it points to. */
function message(control: Uint8Array): { readonly memory: Uint8Array; readonly held: readonly Uint8Array[] } {
  const byte = Buffer.from('x');
  const piece = new Uint8Array(BigUint64Array.of(pointerTo(byte), 1n).buffer);
  const fields = [0n, 0n, pointerTo(piece), 1n, pointerTo(control), BigInt(control.length), 0n];
  return { memory: new Uint8Array(BigUint64Array.from(fields).buffer), held: [byte, piece, control] };
}

function rights(fds: readonly number[], level = SOL_SOCKET): Buffer {
  const bytes = Buffer.alloc((16 + 4 * fds.length + 7) & ~7);
  bytes.writeBigUInt64LE(BigInt(16 + 4 * fds.length), 0);
  bytes.writeInt32LE(level, 8);
  bytes.writeInt32LE(SCM_RIGHTS, 12);
  for (const [i, fd] of fds.entries()) {
    bytes.writeInt32LE(fd, 16 + 4 * i);
  }
  return bytes;
}

test('each descriptor that is passed is a row at either end', async () => {
  using place = new TemporaryDirectory();
  const files = Array.from({ length: 12 }, (_, i) => join(place.path, `file${i}`));
  for (const file of files) {
    writeFileSync(file, '');
  }
  const fds = files.map((file) => openSync(file, 'r'));
  const pair = new Uint8Array(8);
  mustSyscall('socketpair', AF_UNIX, SOCK_DGRAM, 0, pair);
  const [one = 0, other = 0] = new Int32Array(pair.buffer);
  const inode = String(statSync(`/proc/self/fd/${one}`).ino);
  const own = ['-p', String(process.pid)];
  const received: number[] = [];
  const call = (name: string, fd: number, control: Uint8Array, many = false) => {
    const { memory, held } = message(control);
    mustSyscall(name, fd, many ? Buffer.concat([memory, Buffer.alloc(8)]) : memory, ...(many ? [1, 0, 0] : [0]));
    assert.equal(held.length, 3);
  };
  const { all, sent, text } = await watch(
    'sofdsnoop',
    { all: ['--json', ...own], sent: ['--json', '-s', ...own], text: ['-T', ...own] },
    () => {
      // What is of another level is no descriptor, whatever its type is.
      const level = 0;
      call('sendmsg', one, Buffer.concat([rights([0, 1], level), rights(fds.slice(0, 2)), rights(fds.slice(2))]));
      call('sendmmsg', one, rights(fds.slice(0, 3)), true);
      for (const name of ['recvmsg', 'recvmmsg'] as const) {
        const control = Buffer.alloc(16 + 4 * fds.length);
        call(name, other, control, name === 'recvmmsg');
        const count = (Number(control.readBigUInt64LE(0)) - 16) / 4;
        received.push(...Array.from({ length: count }, (_, i) => control.readInt32LE(16 + 4 * i)));
      }
    },
  );
  [...fds, ...received, one, other].forEach(closeSync);
  const shown = (of: typeof all) =>
    of.rows.filter(({ sock }) => sock === one || sock === other).map(({ action, fd, path }) => [action, fd, path]);
  const paths = [...files, ...files.slice(0, 3)];
  const sends = paths.map((path, i) => ['SEND', fds[i % 12], path]);
  assert.equal(received.length, 15);
  assert.deepEqual(shown(all), [...sends, ...paths.map((path, i) => ['RECV', received[i], path])]);
  assert.deepEqual(shown(sent), sends);
  assert.equal(all.rows.find(({ sock }) => sock === one)?.socket, inode);
  assert.match(text.stdout, /^TIME +ACTION +TID +COMM +SOCKET +FD +NAME\n/);
  assert.ok(text.stdout.includes(`${one}:socket:[${inode}]`), text.stdout);
});
