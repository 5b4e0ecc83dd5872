import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { probeFeature } from '../../lib/bpf/features.ts';
import { Actor } from '../helpers/actor.ts';
import { TemporaryDirectory } from '../helpers/temporary-directory.ts';
import { watch } from '../helpers/watch.ts';

const AT_FDCWD = -100;
const AT_REMOVEDIR = 0x200;
const { supported, reason } = probeFeature('kprobe');

test('calls are counted by function', { skip: supported === false && reason }, async () => {
  using place = new TemporaryDirectory();
  await using actor = await Actor.start();
  const directories = Array.from({ length: 17 }, (_, i) => join(place.path, `directory-${i}`));
  const seen = await watch(
    'vfscount',
    {
      all: ['--json', '-p', String(actor.pid)],
      text: ['-p', String(actor.pid)],
      stranger: ['--json', '-p', '4194000'],
    },
    async () => {
      await actor.perform(directories.map((path) => ({ name: 'mkdirat', args: [AT_FDCWD, path, 0o700] })));
      await actor.perform(
        directories.slice(5).map((path) => ({ name: 'unlinkat', args: [AT_FDCWD, path, AT_REMOVEDIR] })),
      );
    },
  );
  const rows = seen.all.messages
    .filter(({ type }) => type === 'table')
    .flatMap((table) => table.rows as { func: string; count: number; address: string }[]);
  const counts = new Map(rows.map(({ func, count }) => [func, count]));
  // Of some kernels the compiler has split it, and rmdir(2) goes straight to the larger part.
  const split = readFileSync('/proc/kallsyms', 'latin1').includes(' vfs_rmdir.part.');
  assert.deepEqual(
    [counts.get('vfs_mkdir'), counts.get('vfs_rmdir'), counts.get('vfs_unlink')],
    [17, split ? undefined : 12, undefined],
  );
  assert.ok(rows.every(({ func, address }) => /^vfs_\w+$/.test(func) && /^0x[0-9a-f]{16}$/.test(address)));
  assert.equal(counts.size, rows.length);
  assert.match(seen.text.stdout, /^ADDR +FUNC +COUNT\n(0x[0-9a-f]{16} vfs_\w+ +\d+\n)+$/);
  const stranger = seen.stranger.messages.filter(({ type }) => type === 'table').flatMap(({ rows }) => rows);
  assert.deepEqual(stranger, []);
});
