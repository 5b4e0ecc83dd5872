import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { JsonSchema } from '../../lib/model/json.ts';
import { schemaProblems } from '../helpers/json-schema.ts';

const schema: JsonSchema = {
  type: 'object',
  properties: {
    type: { const: 'event' },
    time: { type: 'string', format: 'date-time' },
    pid: { type: 'integer', minimum: 1, maximum: 100 },
    ratio: { type: 'number' },
    id: { type: 'string', pattern: '^[0-9]+$' },
    state: { enum: ['on', 'off', 3] },
    args: { type: 'array', items: { type: 'string' } },
    maybe: { oneOf: [{ type: 'boolean' }, { const: null }] },
    where: { type: 'object', properties: { dev: { type: 'string' } }, required: ['dev'] },
    counts: { type: 'object', additionalProperties: { type: 'integer' } },
  },
  required: ['type', 'pid'],
};

const fitting = { type: 'event', pid: 5 };

const right: Readonly<Record<string, unknown>> = {
  'what is required': fitting,
  everything: {
    ...fitting,
    time: '2026-11-21T05:47:01.705414+00:00',
    ratio: 0.5,
    id: '18446744073709551615',
    state: 3,
    args: ['a', ''],
    maybe: null,
    where: { dev: '8:1' },
    counts: { a: 1 },
  },
};

const wrong: Readonly<Record<string, readonly [value: unknown, problem: RegExp]>> = {
  'no object': [[], /^\$: \[\] is not of type object$/],
  null: [null, /^\$: null is not of type object$/],
  'a missing property': [{ type: 'event' }, /^\$: 'pid' is missing$/],
  'another constant': [{ ...fitting, type: 'lost' }, /^\$\.type: "lost" is not "event"$/],
  'an unknown property': [{ ...fitting, extra: 1 }, /^\$\.extra: 1 is not in the schema$/],
  'an inherited name': [{ ...fitting, toString: 1 }, /^\$\.toString: 1 is not in the schema$/],
  'another type': [{ ...fitting, pid: '5' }, /^\$\.pid: "5" is not of type integer$/],
  'a fraction': [{ ...fitting, pid: 5.5 }, /^\$\.pid: 5.5 is not of type integer$/],
  'too small': [{ ...fitting, pid: 0 }, /^\$\.pid: 0 is below 1$/],
  'too large': [{ ...fitting, pid: 101 }, /^\$\.pid: 101 is above 100$/],
  'no time': [{ ...fitting, time: '05:47:01' }, /^\$\.time: "05:47:01" is not a date-time$/],
  'another pattern': [{ ...fitting, id: '0x1' }, /^\$\.id: "0x1" does not match/],
  'none of the values': [{ ...fitting, state: '3' }, /^\$\.state: "3" is none of the values allowed$/],
  'a wrong item': [{ ...fitting, args: ['a', 1] }, /^\$\.args\[1\]: 1 is not of type string$/],
  'no alternative': [{ ...fitting, maybe: 0 }, /^\$\.maybe: fits 0 of 2 alternatives$/],
  'inside of an object': [{ ...fitting, where: {} }, /^\$\.where: 'dev' is missing$/],
  'a wrong additional property': [{ ...fitting, counts: { a: 'b' } }, /^\$\.counts\.a: "b" is not of type integer$/],
};

for (const [name, value] of Object.entries(right)) {
  test(`fits: ${name}`, () => {
    assert.deepEqual(schemaProblems(schema, value), []);
  });
}

for (const [name, [value, problem]] of Object.entries(wrong)) {
  test(`does not fit: ${name}`, () => {
    const problems = schemaProblems(schema, value);
    assert.match(problems[0] ?? '', problem);
  });
}

test('two alternatives that both fit are one too many', () => {
  const problems = schemaProblems({ oneOf: [{ type: 'integer' }, { minimum: 0 }] }, 1);
  assert.deepEqual(problems, ['$: fits 2 of 2 alternatives']);
});

test('a keyword or a format that is not known is never taken for a fit', () => {
  assert.deepEqual(schemaProblems({ maxLength: 3 } as JsonSchema, 'long'), ["$: keyword 'maxLength' is not known"]);
  assert.deepEqual(schemaProblems({ format: 'uuid' }, 'x'), ["$: format 'uuid' is not known"]);
});
