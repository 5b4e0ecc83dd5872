import assert from 'node:assert/strict';
import { statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { Actor } from '../helpers/actor.ts';
import { diskDirectory } from '../helpers/disk.ts';
import { overlaid } from '../helpers/overlay.ts';
import { commOf } from '../helpers/task-fields.ts';
import { TemporaryDirectory } from '../helpers/temporary-directory.ts';
import { watch } from '../helpers/watch.ts';

const AT_FDCWD = -100;
const O_WRONLY_CREAT = 0o101;
const O_WRONLY_TMPFILE = 0o20200001;
const AT_SYMLINK_FOLLOW = 0x400;
const S_IFIFO = 0o10000;

test('a file that is made and deleted is a row, once its last name is gone', async () => {
  using place = new TemporaryDirectory(diskDirectory());
  const path = (name: string) => join(place.path, name);
  writeFileSync(path('before'), '');
  await using actor = await Actor.start({ cwd: place.path });
  const own = ['-p', String(actor.pid)];
  const make = (name: string) => actor.mustCall('openat', AT_FDCWD, path(name), O_WRONLY_CREAT, 0o600);
  const { all, full, others, text } = await watch(
    'filelife',
    { all: ['--json', ...own], full: ['--json', '-F', ...own], others: ['--json', '-p', '1'], text: own },
    async () => {
      await make('one');
      await make('two');
      await make('before');
      await actor.mustCall('linkat', AT_FDCWD, 'two', AT_FDCWD, 'second name', 0);
      await make('three');
      await actor.mustCall('renameat2', AT_FDCWD, 'three', AT_FDCWD, 'renamed', 0);
      writeFileSync(path('of another'), '');
      for (const name of ['one', 'two', 'before', path('of another'), 'second name', 'renamed']) {
        await actor.mustCall('unlinkat', AT_FDCWD, name, 0);
      }
    },
  );
  const rows = [
    [actor.pid, 'one'],
    [process.pid, 'of another'],
    [actor.pid, 'second name'],
    [actor.pid, 'renamed'],
  ];
  assert.deepEqual(
    all.rows.map(({ creator, path }) => [creator, path]),
    rows,
  );
  assert.deepEqual(
    full.rows.map((row) => row.path),
    rows.map(([, name]) => path(String(name))),
  );
  assert.deepEqual(others.rows, []);
  const comm = commOf(actor.pid);
  for (const row of all.rows) {
    assert.deepEqual([row.pid, row.comm], [actor.pid, comm]);
    assert.ok(Number(row.age) > 0 && Number(row.age) < 100e9);
  }
  assert.match(text.stdout, /^TIME +PID +COMM +AGE\(s\) +FILE\n/);
  assert.match(text.stdout, / \d+\.\d\d renamed\n$/);
});

test('a file on a file system on top of others is one row', async (t) => {
  using place = new TemporaryDirectory();
  await using actor = await Actor.start();
  const top = await overlaid(t, actor, place.path, ['before']);
  if (top === undefined) {
    return;
  }
  const { own } = await watch('filelife', { own: ['--json', '-F', '-p', String(actor.pid)] }, async () => {
    await actor.mustCall('openat', AT_FDCWD, `${top}/new`, O_WRONLY_CREAT, 0o600);
    await actor.mustCall('unlinkat', AT_FDCWD, `${top}/before`, 0);
    await actor.mustCall('unlinkat', AT_FDCWD, `${top}/new`, 0);
  });
  // Where functions cannot be hooked, nobody tells of this file system.
  const seen = own.messages.some(({ hooks }) => JSON.stringify(hooks ?? '').includes('vfs_unlink'));
  assert.deepEqual(
    own.rows.map(({ creator, pid, path }) => [creator, pid, path]),
    seen ? [[actor.pid, actor.pid, `${top}/new`]] : [],
  );
});

test('a file without a name is a row once a name that it was given is gone', async () => {
  using place = new TemporaryDirectory(diskDirectory());
  await using actor = await Actor.start({ cwd: place.path });
  const { own } = await watch('filelife', { own: ['--json', '-p', String(actor.pid)] }, async () => {
    const nameless = () => actor.mustCall('openat', AT_FDCWD, '.', O_WRONLY_TMPFILE, 0o600);
    const never = await nameless();
    const fd = await nameless();
    await actor.mustCall('close', never);
    await actor.mustCall('linkat', AT_FDCWD, `/proc/self/fd/${fd}`, AT_FDCWD, 'linked', AT_SYMLINK_FOLLOW);
    await actor.mustCall('unlinkat', AT_FDCWD, 'linked', 0);
  });
  assert.deepEqual(
    own.rows.map(({ creator, path }) => [creator, path]),
    [[actor.pid, 'linked']],
  );
});

test('a file is not as old as one whose inode it has, and that was replaced', async () => {
  using place = new TemporaryDirectory(diskDirectory());
  await using actor = await Actor.start({ cwd: place.path });
  let reused = false;
  const { own } = await watch('filelife', { own: ['--json', '-p', String(actor.pid)] }, async () => {
    for (const name of ['old', 'new']) {
      await actor.mustCall('close', await actor.mustCall('openat', AT_FDCWD, name, O_WRONLY_CREAT, 0o600));
    }
    const { ino } = statSync(join(place.path, 'old'));
    await actor.mustCall('renameat2', AT_FDCWD, 'new', AT_FDCWD, 'old', 0);
    // Nobody tells of this one, which is not opened.
    await actor.mustCall('mknodat', AT_FDCWD, 'node', S_IFIFO, 0);
    reused = statSync(join(place.path, 'node')).ino === ino;
    await actor.mustCall('unlinkat', AT_FDCWD, 'node', 0);
    await actor.mustCall('unlinkat', AT_FDCWD, 'old', 0);
  });
  assert.ok(reused);
  assert.deepEqual(
    own.rows.map(({ path }) => path),
    ['old'],
  );
});
