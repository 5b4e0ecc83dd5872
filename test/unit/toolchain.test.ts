import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { findToolchain } from '../../lib/gen/toolchain.ts';

const scratch = mkdtempSync(join(tmpdir(), 'kscope-toolchain-'));
after(() => rmSync(scratch, { recursive: true }));

/** A folder with empty programs of these names. */
function folder(name: string, programs: readonly string[], mode = 0o755): string {
  const path = join(scratch, name);
  mkdirSync(path);
  for (const program of programs) {
    writeFileSync(join(path, program), '', { mode });
  }
  return path;
}

test('plain names come first, in the order of PATH', () => {
  const first = folder('first', ['clang']);
  const second = folder('second', ['clang', 'llvm-strip', 'clang-19']);
  const found = findToolchain({ PATH: `relative::${first}:${second}:/nowhere` });
  assert.equal(found.clang, join(first, 'clang'));
  assert.equal(found.strip, join(second, 'llvm-strip'));
});

test('without them, the newest version that is new enough', () => {
  const path = folder('versioned', ['clang-9', 'clang-14', 'clang-19', 'clang-19.1', 'llvm-strip-13', 'llvm-strip-16']);
  const found = findToolchain({ PATH: path });
  assert.equal(found.clang, join(path, 'clang-19'));
  assert.equal(found.strip, join(path, 'llvm-strip-16'));
});

test('what the environment names is taken as it is', () => {
  const path = folder('ignored', ['clang', 'llvm-strip']);
  const found = findToolchain({ PATH: path, CLANG: '/opt/clang', LLVM_STRIP: '/opt/strip' });
  assert.deepEqual([found.clang, found.strip], ['/opt/clang', '/opt/strip']);
});

test('what is missing is named', () => {
  const path = folder('plain-files', ['clang', 'llvm-strip-13'], 0o644);
  assert.throws(() => findToolchain({ PATH: path }), {
    code: 'unsupported',
    message: 'clang and llvm-strip not found: needed to compile the BPF programs',
    hints: ['install the packages clang and llvm (version 14 or later)'],
  });
  assert.throws(() => findToolchain({ PATH: folder('half', ['clang']) }), /^KscopeError: llvm-strip not found/);
});

test('another compiler under the same name is another identity', () => {
  const path = folder('upgraded', ['clang', 'llvm-strip']);
  const before = findToolchain({ PATH: path }).identity;
  writeFileSync(join(path, 'clang'), 'newer');
  assert.notEqual(findToolchain({ PATH: path }).identity, before);
});
