import assert from 'node:assert/strict';
import { mkdirSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { KscopeError } from '../../lib/model/errors.ts';
import { directoryId } from '../../lib/system/directories.ts';
import { TemporaryDirectory } from '../helpers/temporary-directory.ts';

test('a directory is told by its file system and inode, by whatever path', () => {
  using place = new TemporaryDirectory();
  const directory = join(place.path, 'directory');
  mkdirSync(directory);
  symlinkSync('directory', join(place.path, 'link'));
  writeFileSync(join(place.path, 'file'), '');
  const id = directoryId(directory);
  assert.equal(id.inode, statSync(directory, { bigint: true }).ino);
  assert.match(id.dev, /^\d+:\d+$/);
  assert.deepEqual(directoryId(join(place.path, 'link')), id);
  assert.equal(directoryId(place.path).dev, id.dev);
  assert.notEqual(directoryId('/proc').dev, id.dev);
  for (const name of ['file', 'missing\u001b']) {
    assert.throws(
      () => directoryId(join(place.path, name)),
      (error) => error instanceof KscopeError && error.code === 'usage' && !error.message.includes('\u001b'),
      name,
    );
  }
});
