import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { parseElf } from '../../lib/bpf/elf.ts';
import { functionsOf } from '../../lib/bpf/user-functions.ts';
import { KscopeError } from '../../lib/model/errors.ts';
import { loaderFiles, mappedFiles, readLoaderCache } from '../../lib/system/libraries.ts';
import { TemporaryDirectory } from '../helpers/temporary-directory.ts';

const paths = ['/lib/one.so.1', '/usr/lib/two.so.2'];

/** A loader cache in today's form, behind what an older one leaves in front of it. */
function cacheOf(names: readonly string[], front = 0): Buffer {
  const header = Buffer.alloc(48);
  header.write('glibc-ld.so.cache1.1');
  header.writeUInt32LE(names.length, 20);
  let at = header.length + 24 * names.length;
  const entries = names.map((name) => {
    const entry = Buffer.alloc(24);
    entry.writeUInt32LE(at, 8);
    at += name.length + 1;
    return entry;
  });
  return Buffer.concat([Buffer.alloc(front), header, ...entries, Buffer.from(`${names.join('\0')}\0`)]);
}

test('the cache of the loader tells where libraries are', () => {
  assert.deepEqual(readLoaderCache(cacheOf(paths)), paths);
  assert.deepEqual(readLoaderCache(cacheOf(paths, 100)), paths);
});

test('a cache that is damaged anywhere is no failure', () => {
  const whole = cacheOf(paths);
  assert.deepEqual(readLoaderCache(Buffer.from('no cache')), []);
  for (let length = 0; length < whole.length; length++) {
    assert.ok(readLoaderCache(whole.subarray(0, length)).length <= paths.length);
  }
  for (let at = 20; at < whole.length; at++) {
    const damaged = Buffer.from(whole);
    damaged[at] = 0xff;
    assert.ok(Array.isArray(readLoaderCache(damaged)));
  }
});

test('libraries are found by the cache, and without one in the standard folders', () => {
  using place = new TemporaryDirectory();
  mkdirSync(join(place.path, 'usr/lib'), { recursive: true });
  writeFileSync(join(place.path, 'usr/lib/two.so.2'), '');
  assert.deepEqual(loaderFiles(/^two\./, place.path), [join(place.path, 'usr/lib/two.so.2')]);
  mkdirSync(join(place.path, 'etc'));
  writeFileSync(join(place.path, 'etc/ld.so.cache'), cacheOf(paths));
  assert.deepEqual(loaderFiles(/^one\./, place.path), [join(place.path, 'lib/one.so.1')]);
  assert.deepEqual(loaderFiles(/^three\./, place.path), []);
});

test('files that processes have mapped are found once each, through the root of the process', () => {
  using place = new TemporaryDirectory();
  const maps = [
    '1000-2000 r--p 00000000 fd:01 7 /lib/libc.so.6',
    '2000-3000 r-xp 00001000 fd:01 7 /lib/libc.so.6',
    '4000-5000 r-xp 00001000 fd:01 8 /lib/other.so',
    '6000-7000 r-xp 00000000 00:00 0 [vdso]',
  ];
  for (const [pid, lines] of [
    ['12', maps],
    ['34', maps],
    ['56', ['2000-3000 r-xp 00001000 00:2a 7 /bücher/libc.so.6', 'nonsense']],
  ] as const) {
    mkdirSync(join(place.path, pid));
    writeFileSync(join(place.path, pid, 'maps'), `${lines.join('\n')}\n`);
  }
  mkdirSync(join(place.path, '78'));
  const many = (count: number) =>
    Array.from({ length: count }, (_, i) => `2000-3000 r-xp 0000 fd:01 ${i} /lib/l${i}.so`);
  for (const [pid, count] of [
    ['90', 3000],
    ['91', 500_000],
  ] as const) {
    mkdirSync(join(place.path, pid));
    const last = `2000-3000 r-xp 0000 fd:02 ${pid} /lib/last\\012one.so`;
    writeFileSync(join(place.path, pid, 'maps'), [...many(count), last].join('\n'));
  }
  const [first, second] = ['12/root/lib/libc.so.6', '56/root/bücher/libc.so.6'].map((path) => join(place.path, path));
  assert.deepEqual(mappedFiles(/^libc\./, undefined, place.path), [first, second]);
  assert.deepEqual(mappedFiles(/^libc\./, 56, place.path), [second]);
  assert.deepEqual(mappedFiles(/^libc\./, 99, place.path), []);
  // As long as it may be, and no longer.
  assert.deepEqual(mappedFiles(/^last\none/, undefined, place.path), [join(place.path, '90/root/lib/last\none.so')]);
});

test('functions are found in a library, and a damaged one is passed over', () => {
  const [file = ''] = loaderFiles(/^libc\.so\.6$|^ld-musl-/);
  const library = readFileSync(file);
  const names = ['getaddrinfo', 'gethostbyname'];
  const found = functionsOf(parseElf(library, file), names);
  assert.equal(new Set(found.map(({ offset }) => offset)).size, 2);
  assert.deepEqual(functionsOf(parseElf(library, file), ['no_such_function']), []);
  const fields = [0x28, 0x3a, 0x3c, 0x3e, ...Array.from({ length: 64 }, (_, i) => library.readUInt32LE(0x28) + i * 40)];
  for (const at of fields) {
    const damaged = Buffer.from(library);
    damaged.fill(0xff, at, at + 4);
    try {
      const places = functionsOf(parseElf(damaged, file), names);
      assert.ok(places.every(({ offset }) => offset < damaged.length));
    } catch (error) {
      assert.ok(error instanceof KscopeError, String(error));
    }
  }
});
