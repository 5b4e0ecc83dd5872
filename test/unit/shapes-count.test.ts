import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CountedRows, countSchema, countTypes } from '../../lib/shapes/count.ts';
import { fakeTypes } from '../helpers/fake-tool.ts';
import { schemaProblems } from '../helpers/json-schema.ts';

test('combinations are counted, the commonest first, and those that came first before others', () => {
  const counts = new CountedRows(['comm', 'error']);
  counts.add([
    { comm: 'a', error: undefined, pid: 1 },
    { comm: 'b', error: 2, pid: 2 },
  ]);
  counts.add([
    { comm: 'b', error: 2, pid: 3 },
    { comm: 'b', error: 13, pid: 3 },
  ]);
  assert.deepEqual(counts.rows(), [
    { comm: 'b', error: 2, count: 2 },
    { comm: 'a', error: undefined, count: 1 },
    { comm: 'b', error: 13, count: 1 },
  ]);
});

test('values that look alike in a row are not the same combination', () => {
  const counts = new CountedRows(['a', 'b']);
  counts.add([
    { a: '1', b: '2 3' },
    { a: '1 2', b: '3' },
    { a: '', b: '12 3' },
  ]);
  assert.equal(counts.rows().length, 3);
});

test('nothing counted makes no rows', () => {
  assert.deepEqual(new CountedRows(['a']).rows(), []);
});

test('the count is a column like others', () => {
  const { column, types } = countTypes(fakeTypes, 'OPENS');
  assert.deepEqual([column.name, column.header, column.align], ['count', 'OPENS', 'right']);
  assert.deepEqual(Object.keys(types), [...Object.keys(fakeTypes), 'count']);
  assert.equal(countTypes(fakeTypes).column.header, 'COUNT');
});

test('the schema of the counts fits what is printed of them', () => {
  const schema = countSchema(fakeTypes, ['comm', 'error', 'path'], ['path']);
  const line = (rows: unknown[]) => ({ type: 'table', time: '2026-01-01T00:00:00Z', rows });
  const row = { comm: 'a', count: 3 };
  assert.deepEqual(schemaProblems(schema, line([row, { ...row, error: 2, path: '/a' }])), []);
  assert.equal(schemaProblems(schema, line([{ comm: 'a' }])).length, 1);
  assert.equal(schemaProblems(schema, line([{ ...row, pid: 1 }])).length, 1);
});
