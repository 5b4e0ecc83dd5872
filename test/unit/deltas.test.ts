import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { BpfMap } from '../../lib/bpf/map.ts';
import type { RowSchema } from '../../lib/bpf/schema.ts';
import { type SemanticType, semanticType } from '../../lib/model/types.ts';
import { DeltaReader } from '../../lib/shapes/deltas.ts';

const schema = {
  name: 'value',
  size: 0,
  fixedSize: 0,
  fields: (
    [
      ['slots', 'slot_t'],
      ['count', 'count_t'],
      ['comm', 'comm_t'],
    ] as const
  ).map(([name, type]) => ({ name, semantic: semanticType(type) as SemanticType })),
} as unknown as RowSchema;

/** A map that has these entries now. */
class FakeMap {
  now: readonly (readonly [key: unknown, value: unknown])[] = [];

  entries(): readonly (readonly [unknown, unknown])[] {
    return this.now;
  }
}

function reader(): { map: FakeMap; deltas: DeltaReader } {
  const map = new FakeMap();
  return { map, deltas: new DeltaReader(map as unknown as BpfMap, schema) };
}

test('amounts are told as differences, everything else as it is', () => {
  const { map, deltas } = reader();
  map.now = [[{ pid: 1 }, { slots: [1, 0], count: 5, comm: 'a' }]];
  assert.deepEqual(deltas.read(), [{ key: { pid: 1 }, value: { slots: [1, 0], count: 5, comm: 'a' } }]);
  map.now = [[{ pid: 1 }, { slots: [1, 2], count: 9, comm: 'b' }]];
  assert.deepEqual(deltas.read(), [{ key: { pid: 1 }, value: { slots: [0, 2], count: 4, comm: 'b' } }]);
  assert.deepEqual(deltas.read(), []);
});

test('what is read to be read again is no gain less', () => {
  const { map, deltas } = reader();
  map.now = [[1, { slots: [1, 0], count: 5, comm: 'a' }]];
  const first = deltas.read(true);
  assert.deepEqual(deltas.read(), first);
  map.now = [[1, { slots: [1, 0], count: 6, comm: 'a' }]];
  assert.equal(deltas.read(true)[0]?.value.count, 1);
  map.now = [[1, { slots: [1, 0], count: 8, comm: 'a' }]];
  assert.equal(deltas.read()[0]?.value.count, 3);
});

test('keys that gained nothing are left out', () => {
  const { map, deltas } = reader();
  map.now = [
    [1, { slots: [0, 0], count: 0, comm: 'a' }],
    [2n ** 60n, { slots: [0, 1], count: 1, comm: 'b' }],
  ];
  assert.deepEqual(
    deltas.read().map(({ key }) => key),
    [2n ** 60n],
  );
});

test('the copies of all processors are one', () => {
  const { map, deltas } = reader();
  map.now = [
    [
      7,
      [
        { slots: [0, 0], count: 0, comm: '' },
        { slots: [1, 2], count: 3, comm: 'a' },
        { slots: [4, 0], count: 4, comm: 'a' },
        { slots: [0, 0], count: 0, comm: '' },
      ],
    ],
  ];
  assert.deepEqual(deltas.read(), [{ key: 7, value: { slots: [5, 2], count: 7, comm: 'a' } }]);
});

test('an entry that was made again begins anew', () => {
  const { map, deltas } = reader();
  map.now = [[1, { slots: [9, 0], count: 9, comm: 'a' }]];
  deltas.read();
  map.now = [[1, { slots: [0, 2], count: 2, comm: 'b' }]];
  assert.deepEqual(deltas.read(), [{ key: 1, value: { slots: [0, 2], count: 2, comm: 'b' } }]);
});
