import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { commandLineOf, commandOf } from '../../lib/system/commands.ts';
import { TemporaryDirectory } from '../helpers/temporary-directory.ts';

test('names and arguments of processes are texts that a terminal can show', () => {
  using proc = new TemporaryDirectory();
  mkdirSync(join(proc.path, '7'));
  writeFileSync(join(proc.path, '7/comm'), 'a\x1bb\n');
  writeFileSync(join(proc.path, '7/cmdline'), 'ruby\0-e\0puts\x1b\0\0');
  assert.equal(commandOf(7, proc.path), 'a\\x1bb');
  assert.equal(commandLineOf(7, proc.path), 'ruby -e puts\\x1b');
  writeFileSync(join(proc.path, '7/cmdline'), `x${'y'.repeat(1e5)}`);
  assert.equal(commandLineOf(7, proc.path)?.length, 4096);
  writeFileSync(join(proc.path, '7/cmdline'), '');
  assert.equal(commandLineOf(7, proc.path), undefined);
  assert.equal(commandLineOf(8, proc.path), undefined);
  assert.equal(commandOf(8, proc.path), undefined);
});
