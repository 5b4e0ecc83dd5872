import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readdirSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { ElfFile, inElfFile } from '../../lib/bpf/elf-file.ts';
import { buildElf } from '../helpers/elf-builder.ts';
import { TemporaryDirectory } from '../helpers/temporary-directory.ts';

const program = buildElf(
  [{ name: '.text', bytes: Buffer.alloc(100_000) }],
  Array.from({ length: 500 }, (_, i) => ({ name: `function_${i}`, value: i })),
);
const open = () => readdirSync('/proc/self/fd').length;

test('a file is read once, under whatever path, and closed', () => {
  using folder = new TemporaryDirectory();
  const path = `${folder.path}/program`;
  writeFileSync(path, program);
  symlinkSync(path, `${folder.path}/other`);
  const seen = new Set<string>();
  const before = open();
  assert.equal(
    inElfFile(path, seen, (elf) => elf.symbols().length),
    501,
  );
  assert.equal(
    inElfFile(`${folder.path}/other`, seen, () => true),
    undefined,
  );
  assert.equal(open(), before);
});

test('what is no program is passed over', () => {
  using folder = new TemporaryDirectory();
  const path = (name: string) => `${folder.path}/${name}`;
  writeFileSync(path('text'), 'no program');
  writeFileSync(path('half'), program.subarray(0, program.length / 2));
  execFileSync('mkfifo', [path('fifo')]);
  const before = open();
  for (const name of ['missing', 'text', 'half', 'fifo', '']) {
    assert.equal(
      inElfFile(path(name), new Set(), () => true),
      undefined,
      name,
    );
  }
  assert.equal(open(), before);
});

test('a file that becomes shorter while it is read is damaged', () => {
  using folder = new TemporaryDirectory();
  const path = `${folder.path}/program`;
  writeFileSync(path, program);
  using file = ElfFile.open(path, new Set());
  truncateSync(path, 1000);
  assert.throws(() => file?.elf.symbols(), { code: 'failed', message: /became shorter/ });
  writeFileSync(path, program);
  const found = inElfFile(path, new Set(), (elf) => {
    truncateSync(path, 1000);
    return elf.symbols();
  });
  assert.equal(found, undefined);
});
