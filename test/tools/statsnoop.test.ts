import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { Actor } from '../helpers/actor.ts';
import { hasSyscall } from '../helpers/syscall.ts';
import { TemporaryDirectory } from '../helpers/temporary-directory.ts';
import { watch } from '../helpers/watch.ts';

const AT_FDCWD = -100;
const AT_EMPTY_PATH = 0x1000;
const ENOENT = 2;
const EBADF = 9;

test('each call of the family is a row with the path or the file that was asked about', async () => {
  using place = new TemporaryDirectory();
  const file = join(place.path, 'file');
  const missing = join(place.path, 'missing');
  writeFileSync(file, 'text');
  await using actor = await Actor.start({ cwd: place.path });
  const directory = await actor.mustCall('openat', AT_FDCWD, place.path, 0);
  const fd = await actor.mustCall('openat', AT_FDCWD, file, 0);
  const room = () => new Uint8Array(512);
  const own = ['--json', '-p', String(actor.pid)];
  const old = hasSyscall('stat');
  const { all, full, failed, text } = await watch(
    'statsnoop',
    { all: own, full: [...own, '-F'], failed: [...own, '-x'], text: ['-T', '-s', '-p', String(actor.pid)] },
    async () => {
      if (old) {
        await actor.call('stat', file, room());
        await actor.call('lstat', missing, room());
      }
      await actor.call('fstat', fd, room());
      await actor.call('newfstatat', directory, 'file', room(), 0);
      await actor.call('newfstatat', fd, '', room(), AT_EMPTY_PATH);
      await actor.call('statx', AT_FDCWD, 'missing', 0, 0x7ff, room());
      await actor.call('statfs', place.path, room());
      await actor.call('fstatfs', 4095, room());
    },
  );
  const rows = (of: typeof all) => of.rows.map(({ syscall, path, fd, error }) => ({ syscall, path, fd, error }));
  const none = undefined;
  const expected = [
    ...(old
      ? [
          { syscall: 'stat', path: file, fd: none, error: none },
          { syscall: 'lstat', path: missing, fd: none, error: ENOENT },
        ]
      : []),
    { syscall: 'fstat', path: file, fd, error: none },
    { syscall: 'newfstatat', path: 'file', fd: none, error: none },
    { syscall: 'newfstatat', path: file, fd, error: none },
    { syscall: 'statx', path: 'missing', fd: none, error: ENOENT },
    { syscall: 'statfs', path: place.path, fd: none, error: none },
    { syscall: 'fstatfs', path: '', fd: 4095, error: EBADF },
  ];
  assert.deepEqual(rows(all), expected);
  assert.deepEqual(
    rows(full).map(({ path }) => path),
    expected.map(({ path }) => (path === '' || path.startsWith('/') ? path : join(place.path, path))),
  );
  assert.deepEqual(
    rows(failed),
    expected.filter(({ error }) => error !== none),
  );
  assert.match(text.stdout, /^TIME +PID +COMM +FD +ERR +SYSCALL +PATH\n/);
  assert.match(text.stdout, new RegExp(`^\\d\\d:\\d\\d:\\d\\d +${actor.pid} +\\S+ +- +ENOENT +statx +missing$`, 'm'));
});
