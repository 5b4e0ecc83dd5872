import assert from 'node:assert/strict';
import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { Actor } from '../helpers/actor.ts';
import { cgroupOf } from '../helpers/cgroup.ts';
import { directoriesByType } from '../helpers/file-systems.ts';
import { commOf } from '../helpers/task-fields.ts';
import { TemporaryDirectory } from '../helpers/temporary-directory.ts';
import { noTracedFunctions } from '../helpers/traced-functions.ts';
import { timeless, watch } from '../helpers/watch.ts';

const AT_FDCWD = -100;

test('each name that is looked up is one row, and only it', { skip: noTracedFunctions() }, async () => {
  const parent = directoriesByType().get('ext4') ?? '';
  assert.ok(existsSync(parent));
  using place = new TemporaryDirectory(parent);
  mkdirSync(join(place.path, 'a/b'), { recursive: true });
  await using actor = await Actor.start({ cwd: place.path });
  const stat = (path: string) => actor.call('newfstatat', AT_FDCWD, path, Buffer.alloc(256), 0);
  const own = ['-p', String(actor.pid)];
  const long = 'x'.repeat(255);
  const seen = await watch(
    'dcsnoop',
    {
      misses: ['--json', ...own],
      all: ['--json', ...own, '-a'],
      stranger: ['--json', '-p', '4194000'],
      text: [...own, '--all'],
    },
    async () => {
      assert.equal(await stat('a/b'), 0);
      assert.equal(await stat('a/missing/below'), -2);
      assert.equal(await stat('a/missing'), -2);
      assert.equal(await stat(`a/b/${long}`), -2);
      assert.equal(await stat('odd\u001b[31m'), -2);
    },
  );
  const row = (name: string, found: boolean) => ({
    pid: actor.pid,
    tid: actor.pid,
    uid: 0,
    comm: commOf(actor.pid),
    found,
    cgroup: cgroupOf(actor.pid),
    name,
  });
  const expected = [
    row('a', true),
    row('b', true),
    row('a', true),
    row('missing', false),
    row('a', true),
    row('missing', true),
    row('a', true),
    row('b', true),
    row(long, false),
    row('odd\\x1b[31m', false),
  ];
  assert.deepEqual(timeless(seen.all.rows), expected);
  assert.deepEqual(
    timeless(seen.misses.rows),
    expected.filter(({ found }) => !found),
  );
  assert.deepEqual(seen.stranger.rows, []);
  const [header = '', ...lines] = seen.text.stdout.trimEnd().split('\n');
  assert.deepEqual(header.split(/ +/), ['TIME', 'PID', 'COMM', 'T', 'FILE']);
  assert.deepEqual(
    lines.map((line) => line.split(/ +/).slice(-2)),
    expected.map(({ name, found }) => [found ? 'R' : 'M', name]),
  );
});
