import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { readKernelFile } from '../../lib/system/kernel-file.ts';
import { TemporaryDirectory } from '../helpers/temporary-directory.ts';

test('files that the kernel writes are read whole, of any length', () => {
  using folder = new TemporaryDirectory();
  const path = join(folder.path, 'file');
  for (const length of [0, 1, (1 << 20) - 1, 1 << 20, (1 << 20) + 1, 5_000_000]) {
    const bytes = Buffer.alloc(length, 'what the kernel writes\n');
    writeFileSync(path, bytes);
    assert.equal(readKernelFile(path).compare(bytes), 0, `${length} bytes`);
  }
  const version = '/proc/version';
  assert.equal(readKernelFile(version).toString(), readFileSync(version, 'utf8'));
  assert.throws(() => readKernelFile(join(folder.path, 'no')), { code: 'ENOENT' });
});
