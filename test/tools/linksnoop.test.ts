import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { Actor } from '../helpers/actor.ts';
import { hasSyscall } from '../helpers/syscall.ts';
import { TemporaryDirectory } from '../helpers/temporary-directory.ts';
import { watch } from '../helpers/watch.ts';

const AT_FDCWD = -100;
const EEXIST = 17;

test('each link is a row with both names', async () => {
  using place = new TemporaryDirectory();
  const path = (name: string) => join(place.path, name);
  writeFileSync(path('file'), '');
  await using actor = await Actor.start({ cwd: place.path });
  const own = ['-p', String(actor.pid)];
  const old = hasSyscall('link');
  const { all, failed, text } = await watch(
    'linksnoop',
    { all: ['--json', ...own], failed: ['--json', '-x', ...own], text: own },
    async () => {
      if (old) {
        await actor.mustCall('link', path('file'), 'hard1');
        await actor.mustCall('symlink', 'anything at all', 'soft1');
      }
      await actor.mustCall('linkat', AT_FDCWD, 'file', AT_FDCWD, 'hard2', 0);
      await actor.mustCall('symlinkat', '../x', AT_FDCWD, path('soft2'));
      await actor.call('symlinkat', 'y', AT_FDCWD, 'file');
    },
  );
  const rows = [
    ...(old
      ? [
          ['HARDLINK', path('file'), 'hard1', undefined],
          ['SYMBOLIC', 'anything at all', 'soft1', undefined],
        ]
      : []),
    ['HARDLINK', 'file', 'hard2', undefined],
    ['SYMBOLIC', '../x', path('soft2'), undefined],
    ['SYMBOLIC', 'y', 'file', EEXIST],
  ];
  const shown = (of: typeof all) => of.rows.map(({ link, target, path, error }) => [link, target, path, error]);
  assert.deepEqual(shown(all), rows);
  assert.deepEqual(shown(failed), rows.slice(-1));
  assert.match(text.stdout, /^ *PID +COMM +TYPE +ERR +TARGET +LINK\n/m);
  assert.match(text.stdout, /SYMLINK +EEXIST +y +file\n/);
});
