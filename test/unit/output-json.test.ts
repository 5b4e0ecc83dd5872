import assert from 'node:assert/strict';
import { test } from 'node:test';
import { plainBigint, plainNumber } from '../../lib/model/derived-types.ts';
import type { Message } from '../../lib/model/message.ts';
import { compileObject, JsonOutput, jsonText } from '../../lib/output/json.ts';
import { lineSchema } from '../../lib/output/line-schema.ts';
import { CollectingWriter } from '../helpers/collecting-writer.ts';
import { fakeColumns, fakeRow, fakeStats, fakeTime, fakeTypes, ready, type } from '../helpers/fake-tool.ts';
import { assertGolden } from '../helpers/golden.ts';
import { schemaProblems } from '../helpers/json-schema.ts';

async function print(messages: readonly Message[]): Promise<string> {
  const writer = new CollectingWriter();
  const output = new JsonOutput(writer, { utc: true });
  for (const message of messages) {
    await output.message(message);
  }
  return writer.text;
}

const rows = [0, 1, 2].map(fakeRow);

const everyKind: readonly Message[] = [
  ready('rows'),
  { type: 'events', rows },
  { type: 'events', rows: [] },
  { type: 'lost', what: 'events', count: 3, total: 5, final: false },
  { type: 'warning', text: 'odd "thing"\n', hint: 'look' },
  { type: 'warning', text: 'odd' },
  fakeStats,
  { type: 'table', time: fakeTime, columns: fakeColumns, rows, types: fakeTypes, fields: ['time', 'error', 'pid'] },
  { type: 'table', time: fakeTime, columns: fakeColumns, rows: [] },
  { type: 'interval', time: fakeTime, stamp: true, clear: true, heading: 'only for text' },
  {
    type: 'histogram',
    time: fakeTime,
    key: { comm: 'c"t', pid: 7 },
    columns: [],
    types: fakeTypes,
    unit: 'usecs',
    buckets: [{ from: 2, to: 3, count: 4 }],
    count: 4,
    total: 10,
    details: false,
  },
  {
    type: 'histogram',
    time: fakeTime,
    key: {},
    columns: [],
    types: {},
    unit: 'usecs',
    buckets: [],
    count: 0,
    total: 0,
    details: false,
  },
];

test('every kind of message is one line of valid JSON', async () => {
  const text = await print(everyKind);
  for (const line of text.trimEnd().split('\n')) {
    assert.equal(typeof JSON.parse(line).type, 'string');
  }
  assertGolden('json/messages.jsonl', text);
});

test('what every tool may say fits the schema of its lines', async () => {
  const schema = lineSchema({ type: 'object', properties: { type: { const: 'event' } }, required: ['type'] });
  const text = await print(
    everyKind.filter(({ type }) => type === 'ready' || type === 'lost' || type === 'warning' || type === 'stats'),
  );
  const lines = text.trimEnd().split('\n');
  assert.equal(lines.length, 5);
  for (const line of lines) {
    assert.deepEqual(schemaProblems(schema, JSON.parse(line)), []);
  }
});

test('values are carried, not renderings, and absent ones are left out', async () => {
  const [, first, second] = (await print([ready('rows'), { type: 'events', rows }])).split('\n');
  assert.deepEqual(JSON.parse(first ?? ''), {
    type: 'event',
    time: '2025-11-21T06:14:03.123456Z',
    pid: 100,
    comm: 'cat',
    fd: 3,
    path: '/etc/file-0',
  });
  assert.deepEqual(Object.keys(JSON.parse(second ?? '')), ['type', 'time', 'pid', 'comm', 'error', 'path']);
});

test('the fields asked for, in that order', async () => {
  const [, first] = (
    await print([{ ...ready('rows'), fields: ['path', 'pid'] } as Message, { type: 'events', rows }])
  ).split('\n');
  assert.equal(first, '{"type":"event","path":"/etc/file-0","pid":100}');
});

test('an object without members, or without its first ones, is an object', () => {
  assert.equal(compileObject([], {})({}), '{}');
  assert.equal(compileObject(['a', 'b'], {})({ a: undefined, b: 1 }), '{"b":1}');
  assert.equal(compileObject(['a'], {}, { open: '{"type":"event"' })({}), '{"type":"event"}');
});

test('a value survives whatever it is', () => {
  const values: readonly [unknown, unknown][] = [
    ['plain', 'plain'],
    [
      'quote " backslash \\ newline \n nul \0 escape \x1b del \x7f',
      'quote " backslash \\ newline \n nul \0 escape \x1b del \x7f',
    ],
    ['é 日本 😀 \u2028', 'é 日本 😀 \u2028'],
    [0, 0],
    [-1.5, -1.5],
    [Number.NaN, null],
    [Number.POSITIVE_INFINITY, null],
    [true, true],
    [false, false],
    [18446744073709551615n, '18446744073709551615'],
    [
      ['a"', undefined, 1n],
      ['a"', null, '1'],
    ],
    [{ deep: [{ big: 2n }] }, { deep: [{ big: '2' }] }],
    [null, null],
    [Symbol('x'), null],
  ];
  for (const [value, expected] of values) {
    assert.deepEqual(JSON.parse(jsonText(value)), expected);
  }
});

test('half a character cannot make the text invalid', () => {
  for (const half of ['\ud800', 'a\udc00b', '\ud83d"']) {
    const text = jsonText(half);
    assert.ok(!/\p{Cs}/u.test(text));
    assert.equal(JSON.parse(text), half);
  }
});

test('types decide: times, exact integers, what is no number', () => {
  const types = { time: type('boot_ns_t'), big: plainBigint('u64', false), ratio: plainNumber('double', true, false) };
  const format = compileObject(['time', 'big', 'ratio'], types, { utc: true });
  assert.equal(
    format({ time: fakeTime, big: 2n ** 63n, ratio: Number.NaN }),
    '{"time":"2025-11-21T06:14:03.123456Z","big":"9223372036854775808","ratio":null}',
  );
});

test('a field name that is no identifier is only a name', () => {
  const name = `a'"\\\n]`;
  assert.deepEqual(JSON.parse(compileObject([name], {})({ [name]: 1 })), { [name]: 1 });
});

test('a field called like a member of every object has no type by that', () => {
  assert.equal(
    compileObject(['toString', 'constructor'], {})({ toString: 1, constructor: 'x' }),
    '{"toString":1,"constructor":"x"}',
  );
});
