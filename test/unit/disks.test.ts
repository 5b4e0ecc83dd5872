import assert from 'node:assert/strict';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { KscopeError } from '../../lib/model/errors.ts';
import { diskName, diskNumber } from '../../lib/system/disks.ts';
import { TemporaryDirectory } from '../helpers/temporary-directory.ts';

test('disks have names and numbers', () => {
  using root = new TemporaryDirectory();
  mkdirSync(join(root.path, 'sys/block/sda'), { recursive: true });
  mkdirSync(join(root.path, 'sys/dev/block'), { recursive: true });
  writeFileSync(join(root.path, 'sys/block/sda/dev'), '8:0\n');
  symlinkSync('../../devices/pci/block/sda', join(root.path, 'sys/dev/block/8:0'));
  symlinkSync('../../devices/a\u001b[31m', join(root.path, 'sys/dev/block/8:16'));

  assert.equal(diskNumber('sda', root.path), '8:0');
  assert.equal(diskNumber('/dev/sda', root.path), '8:0');
  assert.equal(diskNumber('8:0', root.path), '8:0');
  assert.equal(diskName('8:0', root.path), 'sda');
  assert.equal(diskName('8:16', root.path), 'a\\x1b[31m');
  assert.equal(diskName('9:9', root.path), '9:9');
  for (const name of ['sda1', '9:9', '../sda', '', 'sda\u001b']) {
    assert.throws(
      () => diskNumber(name, root.path),
      (error) => error instanceof KscopeError && error.code === 'usage' && !error.message.includes('\u001b'),
      name,
    );
  }
});
