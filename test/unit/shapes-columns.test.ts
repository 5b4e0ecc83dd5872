import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { RowSchema } from '../../lib/bpf/schema.ts';
import { KscopeError } from '../../lib/model/errors.ts';
import {
  allColumns,
  type ColumnSpec,
  chosenColumns,
  columnKey,
  columnOptions,
  fieldTypes,
} from '../../lib/shapes/columns.ts';
import { fakeTypes, type } from '../helpers/fake-tool.ts';

const specs: Readonly<Record<string, ColumnSpec>> = {
  time: { flag: '-T, --timestamp' },
  pid: {},
  comm: { header: 'COMMAND', width: 20 },
  fd: { when: 'extended' },
  error: { when: 'path', align: 'left' },
  path: { flag: '-P, --show-path', summary: 'show paths', hidden: ['--paths'], text: (path) => `<${path}>` },
};

function shown(values: Record<string, unknown>): string[] {
  return chosenColumns(specs, fakeTypes, values).columns.map(({ name }) => name);
}

test('a column has what its field says unless it says otherwise itself', () => {
  const columns = Object.fromEntries(allColumns(specs, fakeTypes).map((column) => [column.name, column]));
  assert.deepEqual(Object.keys(columns), Object.keys(specs));
  const { pid, comm, error, path } = columns;
  assert.deepEqual([pid?.header, pid?.width, pid?.align, pid?.help], ['PID', 7, 'right', 'process id']);
  assert.deepEqual([comm?.header, comm?.width, comm?.align], ['COMMAND', 20, 'left']);
  assert.equal(error?.align, 'left');
  assert.equal(path?.text?.('/a', {}), '</a>');
  assert.equal(pid?.text, undefined);
});

test('a rendering of its own sees the row and the values of the options', () => {
  const [column] = allColumns(
    { path: { text: (path, row, values) => `${path} ${row.pid} ${values.quote}` } },
    fakeTypes,
    { quote: true },
  );
  assert.equal(column?.text?.('/a', { pid: 7 }), '/a 7 true');
});

test('a column may come with any of several options', () => {
  const both: Readonly<Record<string, ColumnSpec>> = { pid: {}, fd: { when: ['extended', 'path'] } };
  const names = (values: Record<string, unknown>) =>
    chosenColumns(both, fakeTypes, values).columns.map(({ name }) => name);
  assert.deepEqual(names({}), ['pid']);
  assert.deepEqual(names({ path: '/a' }), ['pid', 'fd']);
  assert.deepEqual(names({ extended: true }), ['pid', 'fd']);
});

test('a header may depend on the options', () => {
  const header = ({ micros }: Readonly<Record<string, unknown>>) => (micros === true ? 'LAT(us)' : 'LAT(ms)');
  assert.equal(allColumns({ pid: { header } }, fakeTypes)[0]?.header, 'LAT(ms)');
  assert.equal(allColumns({ pid: { header } }, fakeTypes, { micros: true })[0]?.header, 'LAT(us)');
});

test('columns that are not always there have an option that shows them', () => {
  const options = columnOptions(specs);
  assert.deepEqual(Object.keys(options), [columnKey('time'), columnKey('path')]);
  assert.equal(options[columnKey('time')]?.summary, 'show the time');
  assert.deepEqual(options[columnKey('path')], {
    flags: '-P, --show-path',
    summary: 'show paths',
    group: 'column',
    hidden: ['--paths'],
  });
  const columns = allColumns({ ...specs, fd: { when: 'path' } }, fakeTypes);
  assert.equal(columns.find(({ name }) => name === 'fd')?.option?.flags, '-P, --show-path');
  assert.equal(columns.find(({ name }) => name === 'pid')?.option, undefined);
});

test('a column is shown always, by its flag, or together with an option or a column', () => {
  assert.deepEqual(shown({}), ['pid', 'comm']);
  assert.deepEqual(shown({ [columnKey('time')]: true }), ['time', 'pid', 'comm']);
  assert.deepEqual(shown({ extended: true }), ['pid', 'comm', 'fd']);
  assert.deepEqual(shown({ extended: false, [columnKey('path')]: false }), ['pid', 'comm']);
  assert.deepEqual(shown({ extended: 0 }), ['pid', 'comm', 'fd']);
  assert.deepEqual(shown({ [columnKey('path')]: true }), ['pid', 'comm', 'error', 'path']);
});

test('to say how times are written is to ask for them', () => {
  assert.deepEqual(shown({ time: 'unix' }), ['time', 'pid', 'comm']);
});

test('named fields are the columns, in that order, and those of JSON too', () => {
  const { columns, fields } = chosenColumns(specs, fakeTypes, { fields: ['path', 'fd', 'pid'] });
  assert.deepEqual(
    columns.map(({ name }) => name),
    ['path', 'fd', 'pid'],
  );
  assert.deepEqual(fields, ['path', 'fd', 'pid']);
  assert.equal(columns[0]?.text?.('/a', {}), '</a>');
  assert.equal(chosenColumns(specs, fakeTypes, {}).fields, undefined);
});

test('a field without a column can be named as well', () => {
  const types = { ...fakeTypes, cgroup: type('cgroup_id_t') };
  const [column] = chosenColumns(specs, types, { fields: ['cgroup'] }).columns;
  assert.deepEqual([column?.header, column?.type.name], ['CGROUP', 'cgroup_id_t']);
});

test('a field that is not there is a mistake, and the others are named', () => {
  for (const name of ['nope', 'toString', 'constructor', '__proto__']) {
    assert.throws(
      () => chosenColumns(specs, fakeTypes, { fields: ['pid', name] }),
      (error) => {
        assert.ok(error instanceof KscopeError && error.code === 'usage');
        assert.equal(error.message, `there is no field '${name}'`);
        assert.deepEqual(error.hints, ['fields: time, pid, comm, fd, error, path']);
        return true;
      },
    );
  }
});

test('a column without a field is a mistake of the tool', () => {
  assert.throws(() => allColumns({ nope: {} }, fakeTypes), { code: 'failed', message: "there is no field 'nope'" });
});

test('types of fields come from the structure, then from what is computed', () => {
  const pid = { name: 'pid', semantic: type('pid_t') };
  const schema = { name: 'event', size: 4, fixedSize: 4, fields: [pid] } as unknown as RowSchema;
  const types = fieldTypes(schema, {
    age: { type: 'ns_t', help: 'how old it is', value: () => 0 },
    label: { type: 'text_t', value: () => '' },
  });
  assert.deepEqual(Object.keys(types), ['pid', 'age', 'label']);
  assert.equal(types.age?.help, 'how old it is');
  assert.equal(types.label?.help, type('text_t').help);
  assert.throws(() => fieldTypes(schema, { x: { type: 'nope_t', value: () => 0 } }), {
    message: "there is no type 'nope_t' for x",
  });
});
