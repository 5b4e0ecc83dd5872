// Every definition in tools/, whatever it is: that it agrees with its object and with itself.
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { test } from 'node:test';
import { objectSpec } from '../../lib/bpf/object-file.ts';
import { Registry } from '../../lib/cli/registry.ts';
import type { JsonSchema } from '../../lib/model/json.ts';

const tools = await new Registry().loadAll();

function dataSchemas(schema: JsonSchema): readonly JsonSchema[] {
  return schema.oneOf ?? [schema];
}

for (const [name, tool] of tools) {
  test(`${name} is named after its object, and its description is paragraphs`, () => {
    assert.equal(tool.skeleton.name, name);
    assert.notEqual(tool.description.trim(), '');
    assert.doesNotMatch(tool.description, /\t|[^\n]\n[^\n]|\n{3}/);
  });

  test(`${name} has tests of its own`, () => {
    assert.ok(existsSync(new URL(`../tools/${name}.test.js`, import.meta.url)), `test/tools/${name}.test.ts`);
  });

  test(`${name}: an option that sets a constant sets one of the program`, () => {
    const { variables } = objectSpec(tool.skeleton);
    for (const { flags, set } of Object.values(tool.options)) {
      if (set !== undefined) {
        assert.equal(variables.get(set)?.section, '.rodata', flags);
      }
    }
  });

  test(`${name}: a placeholder goes with a value`, () => {
    for (const { flags, parse } of Object.values(tool.options)) {
      assert.equal(/[<[]/.test(flags), parse !== undefined, flags);
    }
  });

  test(`${name}: its columns are fields, and what is printed of them has a meaning`, () => {
    const [data] = dataSchemas(tool.schema());
    const properties = data?.properties?.rows?.items?.properties ?? data?.properties ?? {};
    for (const column of tool.columns()) {
      assert.ok(column.name in properties, column.name);
      assert.match(column.header, /^[^\p{Cc}\s]+( [^\p{Cc}\s]+)*$/u);
      assert.ok(column.width > 0 && column.width <= 64);
      assert.notEqual(column.help, '');
      if (column.option !== undefined) {
        assert.ok(Object.values(tool.options).some(({ flags }) => flags === column.option?.flags));
      }
    }
  });

  test(`${name}: its schema describes every property and requires none that is not there`, () => {
    for (const schema of dataSchemas(tool.schema())) {
      assert.equal(schema.type, 'object');
      const properties = schema.properties ?? {};
      assert.equal(typeof properties.type?.const, 'string');
      for (const [property, { description }] of Object.entries(properties)) {
        const said = description ?? (property === 'type' || properties.type?.const === 'table' ? '-' : '');
        assert.notEqual(said, '', property);
      }
      assert.deepEqual(
        schema.required?.filter((property) => !(property in properties)),
        [],
      );
    }
  });
}
