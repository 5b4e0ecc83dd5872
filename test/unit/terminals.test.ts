import assert from 'node:assert/strict';
import { mkdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { KscopeError } from '../../lib/model/errors.ts';
import { terminalName, terminalNumber } from '../../lib/system/terminals.ts';
import { TemporaryDirectory } from '../helpers/temporary-directory.ts';

test('terminals have names', () => {
  using root = new TemporaryDirectory();
  mkdirSync(join(root.path, 'sys/dev/char'), { recursive: true });
  symlinkSync('../../devices/platform/tty/ttyS0', join(root.path, 'sys/dev/char/4:64'));
  symlinkSync('../../devices/a\u001b[31m', join(root.path, 'sys/dev/char/4:65'));
  assert.equal(terminalName('4:64', root.path), 'ttyS0');
  assert.equal(terminalName('4:65', root.path), 'a\\x1b[31m');
  assert.equal(terminalName('4:66', root.path), '4:66');
  // These are in no list of devices.
  assert.equal(terminalName('136:0', root.path), 'pts/0');
  assert.equal(terminalName('136:1048575', root.path), 'pts/1048575');
  assert.equal(terminalName('137:2', root.path), 'pts/1048578');
});

test('what is no terminal has no number', () => {
  for (const name of ['/etc/passwd', '/no/such/file', 'a\u001b[31m']) {
    assert.throws(
      () => terminalNumber(name),
      (error) => error instanceof KscopeError && error.code === 'usage' && !error.message.includes('\u001b'),
    );
  }
});
