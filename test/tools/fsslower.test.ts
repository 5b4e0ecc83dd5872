import assert from 'node:assert/strict';
import { closeSync, constants, fdatasyncSync, fsyncSync, openSync, readSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { AttachedHook } from '../../lib/model/message.ts';
import { alignedBuffer, readAtOnce } from '../helpers/async-reads.ts';
import { readAll, rowsAbout, writeAll } from '../helpers/file-calls.ts';
import { directoriesByType } from '../helpers/file-systems.ts';
import { FuseFolder } from '../helpers/fuse.ts';
import { NfsFolder } from '../helpers/nfs.ts';
import { mustSyscall } from '../helpers/syscall.ts';
import { taskFields } from '../helpers/task-fields.ts';
import { TemporaryDirectory } from '../helpers/temporary-directory.ts';
import { watch } from '../helpers/watch.ts';

const PAGE = 4096;

async function showsWork(type: string, parent: string): Promise<void> {
  using place = new TemporaryDirectory(parent);
  const path = join(place.path, 'a,"b"\u001b[31m');
  const mine = ['-p', String(process.pid)];
  const seen = await watch(
    'fsslower',
    {
      all: ['--json', ...mine, '-t', type, '0'],
      least: ['--json', ...mine, '-t', type, '-m', '0'],
      slow: ['--json', ...mine, '-t', type, '60000'],
      other: ['--json', ...mine, '-t', type === 'ext4' ? 'xfs' : 'ext4', '0'],
      text: [...mine, '-t', type, '0'],
      csv: [...mine, '-t', type, '0', '-j', '--fields', 'operation,bytes,offset,file'],
    },
    () => {
      const fd = openSync(path, 'w+');
      writeAll(fd, 3000);
      readAll(fd, 2000);
      assert.equal(readSync(fd, Buffer.alloc(4096), 0, 4096, 5000), 1000);
      fsyncSync(fd);
      fdatasyncSync(fd);
      closeSync(fd);
      const end = openSync(path, 'a');
      writeSync(end, Buffer.alloc(500));
      closeSync(end);
      const synced = openSync(path, constants.O_WRONLY | constants.O_SYNC);
      writeSync(synced, Buffer.alloc(100), 0, 100, 4096);
      closeSync(synced);
    },
  );
  const { hooks } = seen.all.messages[0] as unknown as { hooks: readonly AttachedHook[] };
  const functions = hooks.some(({ hook }) => /^(fexit|kretprobe) /.test(hook));
  const name = 'a,"b"\\x1b[31m';
  const row = (operation: string, bytes = 0, offset = 0) => ({
    ...taskFields(process.pid),
    operation,
    bytes,
    offset,
    path: join(place.path, name),
    file: name,
  });
  const expected = [
    row('open'),
    row('write', 3000),
    row('write', 3000, 3000),
    ...[0, 0, 0].map(() => row('write', 3000)),
    row('read', 2000),
    row('read', 2000),
    row('read', 2000, 2000),
    ...[0, 0].map(() => row('read', 2000)),
    row('read', 1000, 5000),
    row('fsync'),
    row('fsync'),
    row('open'),
    // What is appended is where the file ended.
    row('write', 500, 6000),
    row('open'),
    // The sync is part of the write, and over before it is.
    ...(functions ? [row('fsync', 100, 4096)] : []),
    row('write', 100, 4096),
  ];
  const all = rowsAbout(row('').path, seen.all.rows);
  assert.deepEqual(all, expected);
  assert.deepEqual(rowsAbout(row('').path, seen.least.rows), expected);
  assert.deepEqual(seen.slow.rows, []);
  assert.deepEqual(seen.other.rows, []);

  const [header = '', ...lines] = seen.text.stdout.trimEnd().split('\n');
  const columns = ['TIME', 'COMM', 'PID', 'T', 'BYTES', 'OFF_KB', 'LAT(ms)', 'FILENAME'];
  assert.deepEqual(header.split(/ +/), columns);
  const own = lines.filter((line) => line.endsWith(` ${name}`));
  assert.deepEqual(
    own.map((line) => / ([RWOS]) /.exec(line)?.[1]),
    expected.map(({ operation }) => ({ read: 'R', write: 'W', open: 'O', fsync: 'S' })[operation]),
  );
  assert.match(
    own[expected.findIndex(({ operation }) => operation === 'write')] ?? '',
    new RegExp(`^\\d\\d:\\d\\d:\\d\\d \\S+ +${process.pid} W +3000 +0 +\\d+\\.\\d\\d `),
  );
  const quoted = `"${name.replaceAll('"', '""')}"`;
  const values = seen.csv.stdout.split('\n').filter((line) => line.endsWith(quoted));
  assert.deepEqual(
    values,
    expected.map(({ operation, bytes, offset }) => `${operation},${bytes},${offset},${quoted}`),
  );
  assert.ok(seen.csv.stdout.startsWith('operation,bytes,offset,file\n'));
}

for (const [type, parent] of directoriesByType()) {
  test(`each operation of ${type} is one row, with its bytes and where they are`, () => showsWork(type, parent));
}

test('each operation of nfs is one row, also an open that is part of a lookup', async (t) => {
  using folder = NfsFolder.mount(t);
  if (folder !== undefined) {
    await showsWork('nfs', folder.path);
  }
});

test('each operation of fuse is one row, also an open that is part of a lookup', async (t) => {
  await using folder = await FuseFolder.mount(t);
  if (folder !== undefined) {
    await showsWork('fuse', folder.path);
  }
});

for (const [type, parent] of directoriesByType()) {
  test(`a read of ${type} that goes on after its call has no line, as nobody knows yet what it takes`, async (t) => {
    if (type === 'tmpfs') {
      t.skip('it has no asynchronous reads');
      return;
    }
    using place = new TemporaryDirectory(parent);
    const path = join(place.path, 'file');
    writeFileSync(path, Buffer.alloc(4 * PAGE));
    const fd = openSync(path, constants.O_RDONLY | constants.O_DIRECT);
    const room = alignedBuffer(2 * PAGE);
    const { json } = await watch('fsslower', { json: ['--json', '-p', String(process.pid), '-t', type, '0'] }, () => {
      readAtOnce(fd, [0], room.length);
      assert.equal(mustSyscall('pread64', fd, room, PAGE, 0), PAGE);
    });
    closeSync(fd);
    const rows = json.rows.filter((row) => row.path === path).map(({ operation, bytes }) => [operation, bytes]);
    // A disk may be done before the function returns, which then has the result.
    const done = rows.length === 2 ? [['read', room.length]] : [];
    assert.deepEqual(rows, [...done, ['read', PAGE]]);
  });
}
