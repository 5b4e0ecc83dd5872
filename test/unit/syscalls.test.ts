import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { type SyscallArchitecture, syscallName, syscallNames, syscallNumbers } from '../../lib/model/syscalls.ts';

const compat = 2 ** 31;

test('numbers have the names of their architecture', () => {
  const expected: readonly [SyscallArchitecture, number, string][] = [
    ['x64', 0, 'read'],
    ['x64', 59, 'execve'],
    ['x64', 334, 'rseq'],
    ['x64', 437, 'openat2'],
    ['x64', 2 ** 30, 'read (x32)'],
    ['x64', 350, 'syscall_350'],
    ['x64', compat + 1, 'exit (32-bit)'],
    ['x64', compat + 3, 'read (32-bit)'],
    ['x64', compat + 403, 'clock_gettime64 (32-bit)'],
    ['x64', compat + 437, 'openat2 (32-bit)'],
    ['x64', compat + 999, 'syscall_999 (32-bit)'],
    ['arm64', 63, 'read'],
    ['arm64', 221, 'execve'],
    ['arm64', 451, 'cachestat'],
    ['arm64', compat + 3, 'read (32-bit)'],
    ['arm64', compat + 0xf0005, 'set_tls (32-bit)'],
    ['arm64', 999, 'syscall_999'],
  ];
  for (const [architecture, number, name] of expected) {
    assert.equal(syscallName(number, architecture), name);
  }
});

test('a name is a number of 64-bit programs, and one of 32-bit ones', () => {
  assert.deepEqual(syscallNumbers('openat', 'x64'), [257, compat + 295]);
  assert.deepEqual(syscallNumbers('openat', 'arm64'), [56, compat + 322]);
  assert.deepEqual(syscallNumbers('waitpid', 'x64'), [compat + 7]);
  assert.deepEqual(syscallNumbers('-', 'x64'), []);
  assert.deepEqual(syscallNumbers('nothing', 'arm64'), []);
  assert.ok(syscallNames('arm64').includes('openat') && !syscallNames('arm64').includes('open'));
  for (const architecture of ['x64', 'arm64'] as const) {
    const names = syscallNames(architecture);
    assert.equal(new Set(names).size, names.length);
  }
});

test('they are the numbers that programs are compiled with', (t) => {
  const folder = '/usr/include/x86_64-linux-gnu/asm';
  if (!existsSync(`${folder}/unistd_64.h`)) {
    t.skip('the headers of the kernel are not installed');
    return;
  }
  for (const [file, base, behind] of [
    ['unistd_64.h', 0, ''],
    ['unistd_32.h', compat, ' (32-bit)'],
  ] as const) {
    const defined = [...readFileSync(`${folder}/${file}`, 'utf8').matchAll(/^#define __NR_(\w+) (\d+)$/gm)];
    assert.ok(defined.length > 300);
    for (const [, name, number] of defined) {
      assert.match(syscallName(base + Number(number), 'x64'), /^\w/);
      // Headers newer than the names have calls more, and none that are others.
      if (Number(number) <= 471) {
        assert.equal(syscallName(base + Number(number), 'x64'), `${name}${behind}`);
      }
    }
  }
});
