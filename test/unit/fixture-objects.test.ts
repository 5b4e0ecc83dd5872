import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { readObjectSpec } from '../../lib/bpf/object-spec.ts';
import { digestOfSource, sourceFolder, sources } from '../helpers/fixture-object.ts';

test('every program of the tests is known, and no object is without a source', () => {
  const files = readdirSync(sourceFolder);
  const objects = sources.flatMap(({ name, architectures }) => architectures.map((one) => `${name}.${one}.bpf.o`));
  assert.deepEqual(files.filter((file) => file.endsWith('.o')).sort(), objects.sort());
  const known = sources.map(({ name }) => `${name}.bpf.c`);
  assert.deepEqual(files.filter((file) => file.endsWith('.c')).sort(), known.sort());
});

for (const { name, architectures } of sources) {
  test(`the objects of ${name}.bpf.c are made from it as it is`, () => {
    const digest = readFileSync(join(sourceFolder, `${name}.digest`), 'utf8').trim();
    assert.equal(digest, digestOfSource(name), 'compile it: node dist/test/fixtures/bpf/build.js');
    for (const architecture of architectures) {
      const object = readFileSync(join(sourceFolder, `${name}.${architecture}.bpf.o`));
      assert.ok(readObjectSpec(object, name).programs.length > 0);
    }
  });
}
