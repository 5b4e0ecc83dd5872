import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { BpfMap } from '../../lib/bpf/map.ts';
import type { RowSchema } from '../../lib/bpf/schema.ts';
import type { Row } from '../../lib/model/message.ts';
import { DeltaReader } from '../../lib/shapes/deltas.ts';
import { Gains } from '../../lib/shapes/gains.ts';
import { type } from '../helpers/fake-tool.ts';

const schema = {
  name: 'value',
  size: 0,
  fixedSize: 0,
  fields: [
    { name: 'bytes', semantic: type('bytes_t') },
    { name: 'slots', semantic: { ...type('slot_t'), additive: true } },
    { name: 'comm', semantic: type('comm_t') },
  ],
} as unknown as RowSchema;

/** A reader of a map whose entries the test sets. */
function read(): { entries: [unknown, Row | Row[]][]; reader: DeltaReader } {
  const state: [unknown, Row | Row[]][] = [];
  const map = { entries: () => state.map(([key, value]) => [key, structuredClone(value)]) };
  return { entries: state, reader: new DeltaReader(map as unknown as BpfMap, schema) };
}

function value(bytes: number, slots: number[], comm = 'a'): Row {
  return { bytes, slots, comm };
}

test('amounts of the fields that grow are additive', () => {
  assert.equal(type('bytes_t').additive, true);
  assert.notEqual(type('comm_t').additive, true);
});

test('the first time all that was gained is everything', () => {
  const { entries, reader } = read();
  entries.push([1, value(5, [1, 0])], [2, value(0, [0, 0])]);
  assert.deepEqual(reader.read(), [{ key: 1, value: value(5, [1, 0]) }]);
});

test('after that only what came in between, by whoever gained anything; the rest is as it is now', () => {
  const { entries, reader } = read();
  entries.push([{ pid: 1 }, value(5, [1, 0])], [{ pid: 2 }, value(7, [1, 0])]);
  assert.equal(reader.read().length, 2);
  assert.deepEqual(reader.read(), []);
  entries[0] = [{ pid: 1 }, value(9, [1, 3], 'renamed')];
  assert.deepEqual(reader.read(), [{ key: { pid: 1 }, value: value(4, [0, 3], 'renamed') }]);
  entries[1] = [{ pid: 2 }, value(7, [1, 1])];
  assert.deepEqual(reader.read(), [{ key: { pid: 2 }, value: value(0, [0, 1]) }]);
});

test('what is read to be read again is no gain less', () => {
  const { entries, reader } = read();
  entries.push([1, value(5, [1, 0])]);
  const first = reader.read(true);
  assert.deepEqual(reader.read(), first);
  entries[0] = [1, value(6, [1, 0])];
  assert.equal(reader.read(true)[0]?.value.bytes, 1);
  entries[0] = [1, value(8, [1, 0])];
  assert.equal(reader.read()[0]?.value.bytes, 3);
});

test('an entry that was thrown out and made again starts from nothing', () => {
  const { entries, reader } = read();
  entries.push([1, value(100, [3, 3])]);
  reader.read();
  entries[0] = [1, value(4, [1, 0])];
  assert.deepEqual(reader.read(), [{ key: 1, value: value(4, [1, 0]) }]);
  entries[0] = [1, value(5, [1, 0])];
  assert.deepEqual(reader.read(), [{ key: 1, value: value(1, [0, 0]) }]);
});

test('an entry that fell behind in one amount only is new as well', () => {
  const { entries, reader } = read();
  entries.push([1, value(100, [3, 0])]);
  reader.read();
  entries[0] = [1, value(101, [2, 0])];
  assert.deepEqual(reader.read(), [{ key: 1, value: value(101, [2, 0]) }]);
});

test('values of several processors are summed; a name comes from one that has met the key', () => {
  const { entries, reader } = read();
  entries.push([1n, [value(0, [0, 0], ''), value(3, [1, 0], 'b'), value(4, [0, 2], 'b')]]);
  assert.deepEqual(reader.read(), [{ key: 1n, value: value(7, [1, 2], 'b') }]);
  entries[0] = [1n, [value(1, [1, 0], 'c'), value(3, [1, 0], 'b'), value(4, [0, 2], 'b')]];
  assert.deepEqual(reader.read()[0]?.value.bytes, 1);
});

test('keys are told apart by all of their parts', () => {
  const { entries, reader } = read();
  entries.push([{ a: 1n, b: '2' }, value(1, [0])], [{ a: 12n, b: '' }, value(1, [0])], ['1', value(1, [0])]);
  assert.equal(reader.read().length, 3);
  entries[1] = [{ a: 12n, b: '' }, value(2, [0])];
  assert.deepEqual(
    reader.read().map(({ key }) => key),
    [{ a: 12n, b: '' }],
  );
});

test('an entry that was gone for a reading has gained all that it has', () => {
  const { entries, reader } = read();
  entries.push([1, value(3, [1, 0])]);
  reader.read();
  const [gone] = entries.splice(0);
  assert.deepEqual(reader.read(), []);
  entries.push(gone as (typeof entries)[number]);
  assert.deepEqual(reader.read(), [{ key: 1, value: value(3, [1, 0]) }]);
});

test('amounts that go on have what has come together so far, once', () => {
  const entries: [unknown, Row][] = [[1, { bytes: 5, slots: [0], comm: 'a' }]];
  const map = { entries: () => structuredClone(entries) };
  let more = 10;
  const asked: bigint[] = [];
  const reader = new DeltaReader(map as unknown as BpfMap, schema, (booked, now) => {
    asked.push(now);
    return { bytes: (booked.bytes as number) + more };
  });
  assert.equal(reader.read()[0]?.value.bytes, 15);
  assert.deepEqual(reader.read(), []);
  more = 0;
  entries[0] = [1, { bytes: 20, slots: [0], comm: 'a' }];
  assert.equal(reader.read()[0]?.value.bytes, 5);
  assert.ok(asked[0] !== undefined && asked[1] !== undefined && asked[0] < asked[1]);
});

test('rows that last are told without a gain, and never have less than they had', () => {
  const gains = new Gains(['time'], true);
  const told = (time: number) => gains.reading()('1', { time, name: 'a' });
  assert.deepEqual(told(0), { time: 0, name: 'a' });
  assert.deepEqual(told(70), { time: 70, name: 'a' });
  assert.deepEqual(told(50), { time: 0, name: 'a' });
  assert.deepEqual(told(75), { time: 5, name: 'a' });
  assert.deepEqual(told(75), { time: 0, name: 'a' });
});
