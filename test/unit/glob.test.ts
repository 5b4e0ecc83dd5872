import assert from 'node:assert/strict';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { directoriesLike } from '../../lib/system/glob.ts';
import { TemporaryDirectory } from '../helpers/temporary-directory.ts';

test('patterns name directories as in a shell', () => {
  using place = new TemporaryDirectory();
  for (const name of ['a1/x', 'a2/x', 'a2/y', 'b', '.hidden', 'odd(name', 'new\nline']) {
    mkdirSync(join(place.path, name), { recursive: true });
  }
  writeFileSync(join(place.path, 'afile'), '');
  symlinkSync('a1', join(place.path, 'alink'));
  const like = (pattern: string) =>
    directoriesLike(`${place.path}/${pattern}`).map((path) => path.slice(place.path.length + 1));
  assert.deepEqual(like('a*'), ['a1', 'a2', 'alink']);
  assert.deepEqual(like('a?'), ['a1', 'a2']);
  assert.deepEqual(like('a[!1]'), ['a2']);
  assert.deepEqual(like('a[0-1]/*'), ['a1/x']);
  assert.deepEqual(like('*/y/'), ['a2/y']);
  assert.deepEqual(like('*'), ['a1', 'a2', 'alink', 'b', 'new\nline', 'odd(name']);
  assert.deepEqual(like('.h*'), ['.hidden']);
  assert.deepEqual(like('odd(*'), ['odd(name']);
  assert.deepEqual(like('new?line'), ['new\nline']);
  for (const none of ['afile', 'missing', 'a+', 'missing/*', 'afile/*', '[z-a]', '[']) {
    assert.deepEqual(like(none), [], none);
  }
  assert.deepEqual(like('b'), ['b']);
  assert.deepEqual(directoriesLike('/'), ['/']);
});
