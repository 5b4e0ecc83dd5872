import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { Btf } from '../../lib/bpf/btf.ts';
import { parseElf } from '../../lib/bpf/elf.ts';
import { BtfBuilder } from '../helpers/btf-builder.ts';
import { coreRelocations, describeRelocation } from '../helpers/core-relocations.ts';
import { heldTypes } from '../helpers/held-types.ts';

const folder = fileURLToPath(new URL('../../../dist/bpf/', import.meta.url));

for (const architecture of ['x86', 'arm64']) {
  test(`no object for ${architecture} looks in the kernel for structures of its own`, () => {
    const files = readdirSync(join(folder, architecture)).filter((name) => name.endsWith('.bpf.o'));
    assert.ok(files.length > 100);
    const wrong = files.flatMap((name) => {
      const file = join(folder, architecture, name);
      const elf = parseElf(readFileSync(file), file);
      const btf = Btf.parse(elf.section('.BTF')?.bytes ?? new Uint8Array());
      const held = heldTypes(btf);
      return coreRelocations(elf)
        .filter(({ kind, type }) => kind !== 'type_id_local' && held.has(btf.resolve(type).id))
        .map((relocation) => `${name}: ${describeRelocation(btf, relocation)}`);
    });
    assert.deepEqual([...new Set(wrong)], [], 'move them out of what has the attribute preserve_access_index');
  });
}

test('what looks at nothing of the kernel needs none of its types: reading them is a fifth of the start', () => {
  const relocations = ['funccount', 'funcinterval', 'profile', 'stackcount', 'gethostlatency'].map((name) => {
    const file = join(folder, 'x86', `${name}.bpf.o`);
    return [name, coreRelocations(parseElf(readFileSync(file), file)).length];
  });
  assert.deepEqual(
    relocations.filter(([, count]) => count !== 0),
    [],
  );
});

test('what an object lays out are its variables, keys, values and records, and what is inside them', () => {
  const b = new BtfBuilder();
  const u32 = b.int('unsigned int', 4);
  const struct = (name: string, type = u32) => b.struct(name, 8, [{ name: 'member', type, bitOffset: 0 }]);
  const inside = struct('inside');
  const [task, rq] = [struct('task_struct'), struct('rq')];
  const [key, value] = [struct('key', b.array(b.typedef('inside_t', inside), 2)), struct('value', b.pointer(task))];
  const map = b.struct('', 16, [
    { name: 'key', type: b.pointer(key), bitOffset: 0 },
    { name: 'value', type: b.pointer(value), bitOffset: 64 },
  ]);
  const record = struct('record');
  const variable = b.union('variable', 4, [{ name: 'member', type: u32, bitOffset: 0 }]);
  const section = (name: string, type: number) => b.dataSection(name, 16, [[b.variable('one', type), 0, 16]]);
  section('.maps', map);
  section('.types', b.const(b.pointer(b.const(record))));
  section('.rodata', b.const(b.volatile(variable)));
  section('.ksyms', rq);
  const held = [...heldTypes(Btf.parse(b.build()))];
  assert.deepEqual(
    held.sort((x, y) => x - y),
    [inside, key, value, record, variable].sort((x, y) => x - y),
  );
});
