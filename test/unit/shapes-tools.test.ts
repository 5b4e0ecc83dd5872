import assert from 'node:assert/strict';
import { test } from 'node:test';
import { objectSpec } from '../../lib/bpf/object-file.ts';
import { parseArguments } from '../../lib/cli/command.ts';
import { aliasesOf, Registry } from '../../lib/cli/registry.ts';
import type { JsonSchema } from '../../lib/model/json.ts';
import { commonKeys } from '../../lib/shapes/common-options.ts';
import type { Tool } from '../../lib/shapes/definition.ts';
import { longName, type Option } from '../../lib/shapes/options.ts';

const tools = await new Registry().loadAll();

/** Every way to write an option, the ones that are not shown included. */
function spellings({ flags, hidden = [] }: Option): string[] {
  return [flags, ...hidden].flatMap(
    (text) => text.replace(/[<[].*/, '').match(/(?<=^|[ ,])-{1,2}[A-Za-z0-9_-]+/g) ?? [],
  );
}

function options({ options }: Tool): [key: string, option: Option][] {
  return Object.entries(options);
}

/** Words of a command line as a shell would take them; single quotes are all that examples need. */
function words(line: string): string[] {
  return [...line.matchAll(/'([^']*)'|(\S+)/g)].map(([, quoted, plain]) => quoted ?? plain ?? '');
}

function dataSchemas(schema: JsonSchema): readonly JsonSchema[] {
  return schema.oneOf ?? [schema];
}

test('there are tools', () => {
  assert.notEqual(tools.size, 0);
});

for (const [name, tool] of tools) {
  test(`${name} is named after its object, and says in a sentence what it does`, () => {
    assert.equal(tool.skeleton.name, name);
    assert.match(tool.summary, /^[A-Z][^.\n]{10,90}\.$/u);
    assert.notEqual(tool.description.trim(), '');
    assert.doesNotMatch(tool.description, /\t|[^\n]\n[^\n]|\n{3}/);
  });

  test(`${name} has the common options, and no spelling means two things`, () => {
    const keys = options(tool).map(([key]) => key);
    assert.deepEqual(
      commonKeys.filter((key) => !keys.includes(key)),
      [],
    );
    const all = options(tool).flatMap(([, option]) => spellings(option));
    assert.deepEqual(
      all.filter((spelling, i) => all.indexOf(spelling) !== i),
      [],
    );
    for (const reserved of ['-h', '--help', '-V', '--version']) {
      assert.ok(!all.includes(reserved), reserved);
    }
  });

  for (const [key, option] of options(tool)) {
    test(`${name}: option ${option.flags}`, () => {
      assert.notEqual(longName(option), '');
      assert.match(option.summary, /^\S.*[^.\s]$/);
      assert.doesNotMatch(option.summary, /^[A-Z][a-z]/);
      assert.equal(/[<[]/.test(option.flags), option.parse !== undefined, 'a placeholder goes with a value');
      for (const other of option.conflicts ?? []) {
        assert.ok(other in tool.options, other);
        assert.notEqual(other, key);
      }
      if (option.set !== undefined) {
        assert.equal(objectSpec(tool.skeleton).variables.get(option.set)?.section, '.rodata', option.set);
      }
    });
  }

  test(`${name}: its columns are fields, and what is printed of them has a meaning`, () => {
    const [data] = dataSchemas(tool.schema());
    const properties = data?.properties?.rows?.items?.properties ?? data?.properties ?? {};
    for (const column of tool.columns()) {
      assert.ok(column.name in properties, column.name);
      assert.match(column.header, /^[^\p{Cc}\s]+( [^\p{Cc}\s]+)*$/u);
      assert.ok(column.width > 0 && column.width <= 64);
      assert.notEqual(column.help, '');
      if (column.option !== undefined) {
        assert.ok(options(tool).some(([, option]) => option.flags === column.option?.flags));
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

  test(`${name}: its examples are command lines of its own`, () => {
    assert.notEqual(Object.keys(tool.examples).length, 0);
    for (const [line, what] of Object.entries(tool.examples)) {
      assert.equal(parseArguments(name, tool, words(line)).kind, 'run', line);
      assert.match(what, /^[^A-Z\s].*[^.\s]$/, line);
    }
  });
}

test('aliases put arguments in front that the tool takes', () => {
  for (const [alias, { tool: name, args }] of aliasesOf(tools)) {
    assert.equal(parseArguments(alias, tools.get(name) as Tool, args).kind, 'run');
  }
});
