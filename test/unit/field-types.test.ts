import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Registry } from '../../lib/cli/registry.ts';
import type { JsonSchema } from '../../lib/model/json.ts';

test('a field has the same type in all tools', async () => {
  const seen = new Map<string, Map<string, string[]>>();
  for (const [name, tool] of await new Registry().loadAll()) {
    for (const [field, schema] of fieldsOf(tool.schema())) {
      const types = seen.get(field) ?? new Map<string, string[]>();
      seen.set(field, types);
      const type = typeOf(schema);
      types.set(type, [...(types.get(type) ?? []), name]);
    }
  }
  assert.ok(seen.size > 100);
  assert.deepEqual(
    [...seen].filter(([, types]) => types.size > 1).map(([field, types]) => [field, Object.fromEntries(types)]),
    [],
    'one of them needs another name',
  );
});

function fieldsOf(schema: JsonSchema): [string, JsonSchema][] {
  return (schema.oneOf ?? [schema]).flatMap((data) =>
    Object.entries(data.properties?.rows?.items?.properties ?? data.properties ?? {}),
  );
}

/** Whole numbers are numbers, names of a set are text, and what may be null is what it is otherwise. */
function typeOf(schema: JsonSchema): string {
  const { type, enum: [name] = [], const: only = name, oneOf = [] } = schema;
  const [first = schema] = oneOf;
  const found = first === schema ? (type ?? typeof only) : typeOf(first);
  return found === 'integer' ? 'number' : found;
}
