import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Registry } from '../../lib/cli/registry.ts';
import type { JsonSchema } from '../../lib/model/json.ts';
import { lineSchema } from '../../lib/output/line-schema.ts';

/** What a function returns is a number, and what becomes of a signal a word; arguments are of programs or of calls. */
const severalTexts = new Set(['args', 'result']);

test('a field has the same type in all tools and all kinds of lines', async () => {
  const seen = new Map<string, Map<string, string[]>>();
  for (const [name, tool] of await new Registry().loadAll()) {
    for (const [field, schema] of fieldsOf(lineSchema(tool.schema()))) {
      const types = seen.get(field) ?? new Map<string, string[]>();
      seen.set(field, types);
      const type = typeOf(schema);
      types.set(type, [...(types.get(type) ?? []), name]);
    }
  }
  assert.ok(seen.size > 300, `${seen.size} fields`);
  for (const field of ['pid', 'latency', 'buckets.from', 'rows', 'weight', 'user.symbol', 'unit']) {
    assert.ok(seen.has(field), field);
  }
  assert.deepEqual(
    [...seen]
      .filter(([field, types]) => types.size > 1 && !severalTexts.has(field))
      .map(([field, types]) => [field, Object.fromEntries(types)]),
    [],
    'one of them needs another name',
  );
  for (const field of severalTexts) {
    assert.ok((seen.get(field)?.size ?? 0) > 1, field);
  }
});

/** In which unit an amount is, by what is said of it. */
const units = /\b(nanoseconds|bytes)\b|\b(?:share|per cent)\b/;

/** Those of distributions are in the unit that is a field beside them; what BPF has are instructions and entries. */
const otherUnits: Readonly<Record<string, RegExp>> = {
  average: /^their average$/,
  size: /^instructions of a program/,
  total: /^(their sum|sum of the values, in the unit)$/,
};

test('an amount has the same unit in all tools', async () => {
  const seen = new Map<string, Map<string, string[]>>();
  for (const [name, tool] of await new Registry().loadAll()) {
    for (const [field, schema] of fieldsOf(tool.schema())) {
      const { description = '' } = schema;
      if (typeOf(schema) === 'number' && !field.includes('.') && otherUnits[field]?.test(description) !== true) {
        const [found, unit = found ?? 'none'] = units.exec(description) ?? [];
        const kinds = seen.get(field) ?? new Map<string, string[]>();
        seen.set(field, kinds);
        const kind = unit === 'per cent' ? 'share' : unit;
        kinds.set(kind, [...(kinds.get(kind) ?? []), name]);
      }
    }
  }
  assert.deepEqual(
    [...seen].filter(([, kinds]) => kinds.size > 1).map(([field, kinds]) => [field, Object.fromEntries(kinds)]),
    [],
    'one of them needs another name',
  );
});

/** Words of types that say nothing of what is counted, numbered or named. */
const noMeaning =
  /^(address|arguments|count|number|number, several|text|port|IP address|yes or no)(, where (it is known|there is any))?$/;

test('a field says what it means, as no other field of the tool, and in which unit', async () => {
  const wrong = [...(await new Registry().loadAll())].flatMap(([name, tool]) => {
    const meanings = new Map<string, string>();
    for (const [field, { description }] of fieldsOf(tool.schema())) {
      // What is within a field is said by the field.
      if (description !== undefined && !field.includes('.')) {
        meanings.set(field, description);
      }
    }
    const units = tool.columns().flatMap(({ name: field, type, help }) => {
      const unit = /^(?:maybe_)?(ns|bytes)_t$/.exec(type.name)?.[1];
      const words = unit === 'ns' ? /nanoseconds/ : /\bbytes\b/;
      return unit === undefined || words.test(help) ? [] : [`${name}: unit of ${field}: ${help}`];
    });
    const empty = [...meanings].filter(([, meaning]) => noMeaning.test(meaning) || meaning === '');
    const said = [...meanings.values()];
    const same = [...meanings].filter(([, meaning]) => said.indexOf(meaning) !== said.lastIndexOf(meaning));
    return [...units, ...[...empty, ...same].map(([field, meaning]) => `${name}: meaning of ${field}: ${meaning}`)];
  });
  assert.deepEqual(wrong, [], "say it by 'meanings' of the definition, or by 'help' of what is computed");
});

/**
 * The fields of all kinds of lines, by their names, and what is in them, by its path: 'buckets.from'. Rows of a table are
 * as lines.
 */
function fieldsOf({ oneOf = [], properties = {}, items }: JsonSchema, place = ''): [string, JsonSchema][] {
  const own = Object.entries(properties).flatMap(([name, schema]): [string, JsonSchema][] => [
    [place + name, schema],
    ...fieldsOf(schema, name === 'rows' ? '' : `${place}${name}.`),
  ]);
  const others = [...oneOf, ...(items === undefined ? [] : [items])];
  return [...own, ...others.flatMap((schema) => fieldsOf(schema, place))];
}

/**
 * Whole numbers are numbers, names of a set are text, and what may be null is what it is otherwise. Text that is an
 * address, a time or a large number is no other text.
 */
function typeOf(schema: JsonSchema): string {
  const { type, enum: [name] = [], const: only = name, oneOf = [], items, pattern = '', format } = schema;
  const [first = schema] = oneOf;
  const found = first === schema ? (type ?? typeof only) : typeOf(first);
  if (found === 'array') {
    return `list of ${items === undefined ? 'anything' : typeOf(items)}`;
  }
  if (found === 'string' && (format !== undefined || /^\^(0x|\[0-9])/.test(pattern))) {
    return format ?? (pattern.startsWith('^0x') ? 'address' : 'large number');
  }
  return found === 'integer' ? 'number' : found;
}
