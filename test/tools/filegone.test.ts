import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { Actor } from '../helpers/actor.ts';
import { overlaid } from '../helpers/overlay.ts';
import { hasSyscall } from '../helpers/syscall.ts';
import { TemporaryDirectory } from '../helpers/temporary-directory.ts';
import { watch } from '../helpers/watch.ts';

const AT_FDCWD = -100;
const AT_REMOVEDIR = 0x200;

test('what is deleted and renamed is a row each, and what is not is another matter', async () => {
  using place = new TemporaryDirectory();
  const path = (name: string) => join(place.path, name);
  const long = 'long'.repeat(60);
  for (const name of ['a', 'b', 'c', 'd', 'e', 'evil\n\x1b[1m', long]) {
    writeFileSync(path(name), '');
  }
  mkdirSync(path('dir1'));
  mkdirSync(path('dir2'));
  await using actor = await Actor.start({ cwd: place.path });
  const own = ['-p', String(actor.pid)];
  const old = hasSyscall('unlink');
  const { all, failed, text } = await watch(
    'filegone',
    { all: ['--json', ...own], failed: ['--json', '-x', ...own], text: own },
    async () => {
      if (old) {
        await actor.mustCall('unlink', path('a'));
        await actor.mustCall('rmdir', path('dir1'));
        await actor.mustCall('rename', path('b'), path('b2'));
      }
      await actor.mustCall('unlinkat', AT_FDCWD, 'c', 0);
      await actor.mustCall('unlinkat', AT_FDCWD, path('dir2'), AT_REMOVEDIR);
      await actor.mustCall('renameat2', AT_FDCWD, 'd', AT_FDCWD, path('e'), 0);
      await actor.mustCall('unlinkat', AT_FDCWD, 'evil\n\x1b[1m', 0);
      await actor.mustCall('unlinkat', AT_FDCWD, long, 0);
      await actor.call('unlinkat', AT_FDCWD, 'missing', 0);
      await actor.call('renameat2', AT_FDCWD, 'missing', AT_FDCWD, 'x', 0);
    },
  );
  const expected = [
    ...(old
      ? [
          ['DELETE', path('a')],
          ['DELETE', path('dir1')],
          ['MOVE', path('b'), path('b2')],
        ]
      : []),
    ['DELETE', 'c'],
    ['DELETE', path('dir2')],
    ['MOVE', 'd', path('e')],
    ['DELETE', 'evil\\n\\x1b[1m'],
    ['DELETE', long],
  ];
  assert.deepEqual(
    all.rows.map(({ action, names }) => [action, ...(names as string[])]),
    expected,
  );
  assert.deepEqual(
    all.rows.map(({ file, renamed }) => [file, ...(renamed === undefined ? [] : [renamed])]),
    expected.map(([, ...names]) => names),
  );
  assert.deepEqual(
    failed.rows.map(({ action, names, error }) => [action, error, names]),
    [
      ['DELETE', 2, ['missing']],
      ['MOVE', 2, ['missing', 'x']],
    ],
  );
  assert.match(text.stdout, /^TIME +PID +COMM +ACTION +FILE\n/);
  assert.ok(text.stdout.includes(`RENAME d > ${path('e')}\n`), text.stdout);
});

test('what goes from a file system on top of others is one row', async (t) => {
  using place = new TemporaryDirectory();
  await using actor = await Actor.start();
  const top = await overlaid(t, actor, place.path, ['lower', 'gone']);
  if (top === undefined) {
    return;
  }
  const { own } = await watch('filegone', { own: ['--json', '-p', String(actor.pid)] }, async () => {
    await actor.mustCall('unlinkat', AT_FDCWD, `${top}/gone`, 0);
    await actor.mustCall('renameat2', AT_FDCWD, `${top}/lower`, AT_FDCWD, `${top}/other`, 0);
  });
  assert.deepEqual(
    own.rows.map(({ action, names }) => [action, ...(names as string[])]),
    [
      ['DELETE', `${top}/gone`],
      ['MOVE', `${top}/lower`, `${top}/other`],
    ],
  );
});
