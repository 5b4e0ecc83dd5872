import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { Actor } from '../helpers/actor.ts';
import { TemporaryDirectory } from '../helpers/temporary-directory.ts';
import { watch } from '../helpers/watch.ts';

const AT_FDCWD = -100;
const O_RDWR_CREAT = 0o102;
const EBADF = 9;

test('each call of the family is a row with its file and its time', async () => {
  using place = new TemporaryDirectory();
  const file = join(place.path, 'file');
  await using actor = await Actor.start();
  const fd = await actor.mustCall('openat', AT_FDCWD, file, O_RDWR_CREAT, 0o600);
  const own = ['-p', String(actor.pid)];
  const start = Date.now();
  const { all, failed, slow, text } = await watch(
    'syncsnoop',
    { all: ['--json', ...own], failed: ['--json', '-x', ...own], slow: ['--json', '-m', '1000000', ...own], text: own },
    async () => {
      await actor.call('fsync', fd);
      await actor.call('fdatasync', fd);
      await actor.call('sync_file_range', fd, 0, 0, 2);
      await actor.call('msync', 0, 0, 4);
      await actor.call('fsync', 4095);
    },
  );
  const shown = all.rows.map(({ syscall, fd, path, error }) => ({ syscall, fd, path, error }));
  const error = undefined;
  const expected = [
    { syscall: 'fsync', fd, path: file, error },
    { syscall: 'fdatasync', fd, path: file, error },
    { syscall: 'sync_file_range', fd, path: file, error },
    { syscall: 'msync', fd: undefined, path: '', error },
    { syscall: 'fsync', fd: 4095, path: '', error: EBADF },
  ];
  assert.deepEqual(shown, expected);
  assert.ok(all.rows.every(({ latency }) => typeof latency === 'number' && latency > 0));
  const times = all.rows.map(({ time }) => Date.parse(String(time)));
  assert.ok(
    times.every((time) => time >= start - 1000 && time <= Date.now() + 1000),
    JSON.stringify(times),
  );
  assert.deepEqual(
    all.rows.map(({ time }) => time),
    all.rows.map(({ time }) => String(time)).sort(),
  );
  assert.equal(failed.rows.length, 1);
  assert.equal(failed.rows[0]?.error, EBADF);
  assert.deepEqual(slow.rows, []);
  assert.match(text.stdout, /^TIME +PID +COMM +CALL +LAT\(ms\) +ERR +PATH\n/);
  assert.ok(text.stdout.includes(`${file}\n`));
});
