import assert from 'node:assert/strict';
import { closeSync, openSync, readFileSync, readSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { Actor } from '../helpers/actor.ts';
import { readAll, rowsAbout, writeAll } from '../helpers/file-calls.ts';
import { syscall } from '../helpers/syscall.ts';
import { taskFields } from '../helpers/task-fields.ts';
import { TemporaryDirectory } from '../helpers/temporary-directory.ts';
import { watch } from '../helpers/watch.ts';

const EBADF = 9;

test('every kind of read and write is one row, with the bytes that it moved', async () => {
  using place = new TemporaryDirectory();
  const path = join(place.path, 'file\u001b[31m');
  const mine = ['--json', '-p', String(process.pid)];
  const seen = await watch(
    'fileslower',
    { all: [...mine, '0'], slow: [...mine, '60000'], text: ['-p', String(process.pid), '0'] },
    () => {
      const fd = openSync(path, 'w+');
      writeAll(fd, 3000);
      readAll(fd, 2000);
      assert.equal(readSync(fd, Buffer.alloc(4096), 0, 4096, 5000), 1000);
      closeSync(fd);
      const only = openSync(path, 'a');
      assert.equal(syscall('read', only, Buffer.alloc(10), 10), -EBADF);
      closeSync(only);
    },
  );
  const row = (operation: string, bytes: number, offset = 0) => ({
    ...taskFields(process.pid),
    operation,
    bytes,
    offset,
    path: join(place.path, 'file\\x1b[31m'),
    file: 'file\\x1b[31m',
  });
  const times = <T>(count: number, one: T): T[] => Array.from({ length: count }, () => one);
  assert.deepEqual(rowsAbout(row('', 0).path, seen.all.rows), [
    row('write', 3000),
    row('write', 3000, 3000),
    ...times(3, row('write', 3000)),
    ...times(2, row('read', 2000)),
    row('read', 2000, 2000),
    ...times(2, row('read', 2000)),
    row('read', 1000, 5000),
    { ...row('read', 0), error: EBADF },
  ]);
  assert.deepEqual(seen.slow.rows, []);
  const [header = '', ...lines] = seen.text.stdout.trimEnd().split('\n');
  assert.deepEqual(header.split(/ +/), ['TIME', 'COMM', 'TID', 'D', 'BYTES', 'LAT(ms)', 'FILENAME']);
  const own = lines.filter((line) => line.endsWith(' file\\x1b[31m'));
  assert.equal(own.length, 12);
  assert.match(own[0] ?? '', new RegExp(`^\\d\\d:\\d\\d:\\d\\d \\S+ +${process.pid} W +3000 +\\d+\\.\\d\\d `));
});

test('the time is that of the call, and shorter ones are left out', async () => {
  await using actor = await Actor.start({ threads: 1 });
  const pipes = (await actor.ask(0, 'pipe2', new Uint8Array(8), 0)).args[0] as Uint8Array;
  const [from = 0, to = 0] = new Int32Array(Uint8Array.from(pipes).buffer);
  const own = ['--json', '-p', String(actor.pid)];
  let waited = 0;
  const before = performance.now();
  const seen = await watch(
    'fileslower',
    { regular: [...own, '0'], all: [...own, '-a', '20'], forever: [...own, '-a', '600000'] },
    async () => {
      await actor.mustCall('write', to, Buffer.alloc(3), 3);
      await actor.mustCall('read', from, Buffer.alloc(3), 3);
      const read = actor.ask(1, 'read', from, Buffer.alloc(10), 10);
      const thread = `/proc/${actor.pid}/task/${actor.tids[1]}/syscall`;
      while (!readFileSync(thread, 'utf8').includes(` 0x${from.toString(16)} `)) {}
      const start = performance.now();
      while (waited < 50) {
        waited = performance.now() - start;
      }
      await actor.mustCall('write', to, Buffer.alloc(7), 7);
      await read;
    },
  );
  const all = performance.now() - before;
  const [slow, ...rest] = seen.all.rows.filter(({ path, bytes }) => path === 'pipefs' && bytes === 7);
  assert.deepEqual([slow?.tid, slow?.operation, rest.length], [actor.tids[1], 'read', 0]);
  const latency = Number(slow?.latency) / 1e6;
  assert.ok(latency >= waited && latency < all, `${latency} ms, not from ${waited} to ${all}`);
  assert.ok(seen.regular.rows.every(({ path }) => path !== 'pipefs'));
  assert.deepEqual(seen.forever.rows, []);
});
