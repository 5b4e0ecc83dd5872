import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { parseElf } from '../../lib/bpf/elf.ts';
import { KscopeError } from '../../lib/model/errors.ts';
import { findProbes } from '../../lib/probes/find.ts';
import { nameMatcher, parseProbePattern } from '../../lib/probes/pattern.ts';
import { usdtProbes } from '../../lib/probes/usdt-notes.ts';
import { ProbedLibrary } from '../helpers/probed-library.ts';
import { damage, randomNumbers } from '../helpers/random.ts';

test('a pattern says what kind of place it means', () => {
  const cases: Readonly<Record<string, readonly [kind: string, where: string, name: string, provider?: string]>> = {
    'vfs_*': ['kernel', '', 'vfs_*'],
    'p::vfs_read': ['kernel', '', 'vfs_read'],
    '::vfs_read': ['kernel', '', 'vfs_read'],
    'c:malloc': ['user', 'c', 'malloc'],
    'p:c:malloc': ['user', 'c', 'malloc'],
    '/usr/bin/a:b:main': ['user', '/usr/bin/a:b', 'main'],
    'p:/usr/bin/a:b:main': ['user', '/usr/bin/a:b', 'main'],
    ':main': ['user', '', 'main'],
    't:sched:sched_*': ['tracepoint', 'sched', 'sched_*'],
    'u:/usr/bin/node:gc__*': ['usdt', '/usr/bin/node', 'gc__*'],
    'u:/usr/bin/node:node:gc__*': ['usdt', '/usr/bin/node', 'gc__*', 'node'],
    'u:c:memory_*': ['usdt', 'c', 'memory_*'],
  };
  for (const [text, [kind, where, name, provider]] of Object.entries(cases)) {
    assert.deepEqual(parseProbePattern(text), {
      text,
      kind,
      where,
      name,
      ...(provider !== undefined && { provider }),
    });
  }
  for (const text of ['', 'c:', 't:sched', 't::x', 't:a:b:c', 'p:c:']) {
    assert.throws(
      () => parseProbePattern(text),
      (error) => error instanceof KscopeError && error.code === 'usage',
      text,
    );
  }
});

test('* and ? stand for letters, and nothing else does', () => {
  const cases: readonly [pattern: string, regularExpression: boolean, name: string, matches: boolean][] = [
    ['vfs_*', false, 'vfs_read', true],
    ['vfs_*', false, 'xvfs_read', false],
    ['a.c', false, 'abc', false],
    ['a.c*', false, 'a.cold', true],
    ['a?c', false, 'abc', true],
    ['a?c', false, 'ac', false],
    ['std::(x|y)[1]+$*', false, 'std::(x|y)[1]+$z', true],
    ['vfs_(read|write)', true, 'vfs_readv', true],
    ['vfs_(read|write)$', true, 'vfs_readv', false],
    ['read', true, 'vfs_read', false],
  ];
  for (const [pattern, regularExpression, name, matches] of cases) {
    assert.equal(nameMatcher(pattern, regularExpression)(name), matches, `${pattern} ${name}`);
  }
});

test('the statically defined probes of a library are read from its notes', () => {
  using library = new ProbedLibrary();
  const [probe, ...more] = usdtProbes(parseElf(readFileSync(library.path)));
  assert.deepEqual(more, []);
  assert.equal(probe?.provider, 'kscope');
  assert.equal(probe.name, 'add');
  assert.equal(probe.semaphore, undefined);
  const [place] = functionPlaces(library.path, 'add');
  assert.equal(probe.offset, place?.offset);
});

function functionPlaces(path: string, name: string) {
  const found = findProbes({ text: '', kind: 'user', where: path, name });
  return found.kind === 'user' ? found.files.flatMap(({ places }) => places) : [];
}

test('damaged notes and symbols are passed over', () => {
  using library = new ProbedLibrary();
  const original = readFileSync(library.path);
  const random = randomNumbers(7);
  for (let i = 0; i < 2000; i++) {
    const bytes = damage(original, random);
    try {
      for (const { offset } of usdtProbes(parseElf(bytes))) {
        assert.ok(Number.isFinite(offset));
      }
    } catch (error) {
      assert.ok(error instanceof KscopeError, String(error));
    }
  }
});

test('functions that are one under two names are one place', () => {
  const places = functionPlaces(process.execPath, 'uv_*');
  assert.equal(new Set(places.map(({ offset }) => offset)).size, places.length);
});
