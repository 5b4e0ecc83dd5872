import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { test } from 'node:test';
import { parseElf } from '../../lib/bpf/elf.ts';
import { KscopeError } from '../../lib/model/errors.ts';
import { isDenied, isPart, neverReturns, returnsUnusually } from '../../lib/probes/denied.ts';
import { filesNamed, findProbes, type SearchOptions } from '../../lib/probes/find.ts';
import { nameMatcher, parseProbePattern } from '../../lib/probes/pattern.ts';
import { parseFormat } from '../../lib/probes/tracepoint-format.ts';
import { usdtArguments } from '../../lib/probes/usdt-arguments.ts';
import { usdtProbes } from '../../lib/probes/usdt-notes.ts';
import { notTraced } from '../../lib/shapes/probe-points.ts';
import { ProbedLibrary } from '../helpers/probed-library.ts';
import { damage, randomNumbers } from '../helpers/random.ts';
import { TemporaryDirectory } from '../helpers/temporary-directory.ts';

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

test('what must not be hooked is left out, and refused when nothing else was meant', () => {
  const names = ['vfs_read', 'do_exit', '__x64_sys_exit_group', 'perf_event_read', 'ftrace_caller'];
  assert.deepEqual(
    names.filter((name) => !isDenied(name)),
    ['vfs_read', 'do_exit', '__x64_sys_exit_group'],
  );
  assert.deepEqual(
    names.filter((name) => neverReturns(name)),
    ['do_exit', '__x64_sys_exit_group'],
  );
  assert.deepEqual(
    ['f.cold', 'f.cold.7', '__pfx_f', '__ftrace_invalid_address___496', 'f.isra.0', 'f_cold'].filter(
      (name) => !isPart(name),
    ),
    ['f.isra.0', 'f_cold'],
  );
  const user = [
    'malloc',
    'setjmp',
    '_setjmp',
    '__sigsetjmp',
    'siglongjmp',
    'vfork',
    'fork',
    'swapcontext',
    '_Unwind_Find_FDE',
  ];
  assert.deepEqual(
    user.filter((name) => !returnsUnusually(name)),
    ['malloc', 'fork'],
  );
  const find = (text: string, options: SearchOptions) => () => findProbes(parseProbePattern(text), options);
  assert.throws(find('do_exit', { returns: true }), /'do_exit' cannot be traced/);
  const all = find('c:*setjmp', {})();
  assert.ok(all.kind === 'user' && all.files.every(({ places }) => places.length > 0));
  assert.throws(find('c:*setjmp', { returns: true }), /setjmp' cannot be traced/);
  const some = find('c:*fork', { returns: true })();
  assert.ok(some.denied?.includes('vfork'));
});

test('programs in Go keep their returns to themselves', () => {
  using library = new ProbedLibrary();
  using place = new TemporaryDirectory();
  const path = join(place.path, 'go');
  writeFileSync(path, readFileSync(library.path, 'latin1').replace('.note.stapsdt', '.gopclntab\0\0\0'), 'latin1');
  const pattern = parseProbePattern(`${path}:add`);
  assert.throws(() => findProbes(pattern, { returns: true }), /is written in Go/);
  assert.equal(findProbes(pattern).kind, 'user');
  assert.equal(findProbes(pattern, { returns: true, force: true }).kind, 'user');
  assert.throws(() => findProbes(parseProbePattern(`${path}:none`), { returns: true }), /has no function 'none'/);
});

test('warnings name what is not traced, ten at most', () => {
  const many = Array.from({ length: 12 }, (_, i) => `f${i}`);
  const [denied, ambiguous, refused, ...more] = notTraced(many, ['b'], ['c']);
  assert.match(denied ?? '', /must not be: f0, f1, .*, f9 and 2 more$/);
  assert.match(ambiguous ?? '', /the same names: b$/);
  assert.match(refused ?? '', /cannot stop there: c$/);
  assert.deepEqual([more, notTraced([], [], [])], [[], []]);
});

function functionPlaces(path: string, name: string) {
  const found = findProbes({ text: '', kind: 'user', where: path, name });
  return found.kind === 'user' ? found.files.flatMap(({ places }) => places) : [];
}

test('arguments of a probe are where its note says', () => {
  assert.deepEqual(usdtArguments('8@%rdi -4@-20(%rbp) 1@$7 8f@%xmm0 -8@[sp, 16] nonsense 4@'), [
    { size: 8, signed: false, place: '%rdi' },
    { size: 4, signed: true, place: '-20(%rbp)' },
    { size: 1, signed: false, place: '$7' },
    { size: 8, signed: false, place: '%xmm0' },
    { size: 8, signed: true, place: '[sp, 16]' },
  ]);
  assert.deepEqual(usdtArguments(''), []);
});

test('fields of a tracepoint are read from its format', () => {
  const text = [
    'name: sched_switch',
    'format:',
    '\tfield:unsigned short common_type;\toffset:0;\tsize:2;\tsigned:0;',
    '',
    '\tfield:char prev_comm[16];\toffset:8;\tsize:16;\tsigned:0;',
    '\tfield:const char * path;\toffset:24;\tsize:8;\tsigned:0;',
    '\tfield:__data_loc char[] cmd;\toffset:32;\tsize:4;\tsigned:1;',
    'print fmt: "field:x y;"',
  ].join('\n');
  assert.deepEqual(parseFormat(text), [
    { type: 'char[16]', name: 'prev_comm', offset: 8, size: 16, signed: false },
    { type: 'const char *', name: 'path', offset: 24, size: 8, signed: false },
    { type: '__data_loc char[]', name: 'cmd', offset: 32, size: 4, signed: true },
  ]);
});

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

test('a library is known by its name without lib, with it, and by that of its file', () => {
  const [file = '', ...others] = filesNamed('c', process.pid);
  assert.match(file, /\/libc[.-]/);
  assert.deepEqual(others, []);
  for (const name of ['libc', basename(file)]) {
    assert.deepEqual(filesNamed(name, process.pid), [file], name);
  }
  assert.deepEqual(filesNamed('lib', process.pid), []);
  assert.deepEqual(filesNamed('ibc', process.pid), []);
});
