import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Column, Message, ReadyMessage, Row } from '../../lib/model/message.ts';
import type { SemanticType, TextStyle } from '../../lib/model/types.ts';
import { renderCells, renderTable } from '../../lib/output/table.ts';
import { compileRow, header, TextOutput } from '../../lib/output/text.ts';
import { CollectingWriter } from '../helpers/collecting-writer.ts';
import { column, fakeColumns, fakeRow, fakeTime, fakeTypes, ready } from '../helpers/fake-tool.ts';
import { assertGolden } from '../helpers/golden.ts';

const clock: TextStyle = { time: 'clock', utc: true };

async function print(messages: readonly Message[], style: TextStyle = { ...clock }): Promise<string> {
  const writer = new CollectingWriter();
  const output = new TextOutput(writer, style);
  for (const message of messages) {
    await output.message(message);
  }
  return writer.text;
}

const rows = [0, 1, 2].map(fakeRow);

test('rows stand under their headers', async () => {
  assertGolden('text/events.txt', await print([ready('rows'), { type: 'events', rows }]));
});

test('what is too long for a cell is below the row, unless fields were chosen', async () => {
  const pid = fakeTypes.pid as SemanticType;
  const long: SemanticType = { ...pid, text: () => 'short', lines: (value) => [`one ${value}`, '    two'] };
  const message: ReadyMessage = {
    ...(ready('rows') as ReadyMessage),
    columns: fakeColumns.slice(0, 1),
    types: { ...fakeTypes, long },
  };
  const some = [{ ...rows[0], long: 5 }, rows[1]] as Row[];
  const text = await print([message, { type: 'events', rows: some }]);
  assert.match(text, /^.*\n.*\d\n {4}one 5\n {8}two\n.*\d\n$/);
  const chosen = await print([
    { ...message, fields: ['long'], columns: [] },
    { type: 'events', rows: some },
  ]);
  assert.doesNotMatch(chosen, /one|two/);
});

test('a finite table is as wide as its content and comes after what was printed', async () => {
  const table: Message = { type: 'table', time: fakeTime, columns: fakeColumns, rows };
  assertGolden('text/table.txt', await print([ready('rows'), { type: 'events', rows }, table]));
  const [first] = (await print([{ ...ready('rows'), columns: [] } as Message, table])).split('\n');
  assert.equal(
    first,
    'PID COMM FD ERROR  PATH',
    'no header for rows without columns, and no gap above the first table',
  );
});

const distribution: Message = {
  type: 'histogram',
  time: fakeTime,
  key: { comm: 'cat', pid: 7 },
  columns: [column('comm', 'comm_t'), column('pid', 'pid_t')],
  types: fakeTypes,
  unit: 'usecs',
  buckets: [
    { from: 0, to: 1, count: 0 },
    { from: 2, to: 3, count: 4 },
    { from: 4, to: 7, count: 40 },
    { from: 8, to: 15, count: 1 },
  ],
  count: 45,
  total: 245,
  details: true,
};

test('a distribution is drawn with bars', async () => {
  assertGolden('text/histogram.txt', await print([{ ...ready('rows'), columns: [] } as Message, distribution]));
});

test('an interval begins with what was asked for, and with a gap after what was printed', async () => {
  const interval = (details: object): Message => ({
    type: 'interval',
    time: fakeTime,
    stamp: false,
    clear: false,
    ...details,
  });
  const table: Message = { type: 'table', time: fakeTime, columns: [column('pid', 'pid_t')], rows: [{ pid: 7 }] };
  assert.equal(await print([interval({}), table, interval({}), table]), 'PID\n  7\n\nPID\n  7\n');
  assert.equal(
    await print([interval({ stamp: true, heading: 'load 1' }), table, interval({ stamp: true }), table]),
    '06:14:03 load 1\nPID\n  7\n\n06:14:03\nPID\n  7\n',
  );
});

test('a document is printed instead of its table', async () => {
  const table: Message = {
    type: 'table',
    time: fakeTime,
    columns: fakeColumns,
    rows,
    document: { format: 'json', content: { names: ['a'] } },
  };
  const printed = await print([table, table]);
  assert.deepEqual(
    printed.split('\n\n').map((text) => JSON.parse(text)),
    [{ names: ['a'] }, { names: ['a'] }],
  );
});

test('a screen is cleared only where there is one', async () => {
  const clear: Message = { type: 'interval', time: fakeTime, stamp: true, clear: true };
  assert.equal(await print([clear]), '06:14:03\n');
  const writer = new CollectingWriter();
  await new TextOutput(writer, { ...clock }, () => true).message(clear);
  assert.equal(writer.text, '\x1b[H\x1b[J06:14:03\n');
});

test('what is wider than its column is neither cut nor glued', () => {
  const format = compileRow([column('comm', 'comm_t', { width: 4 }), column('pid', 'pid_t', { width: 3 })], clock);
  assert.equal(format({ comm: 'a-long-name', pid: 123456 }), 'a-long-name 123456\n');
  assert.equal(format({ comm: 'ab', pid: 1 }), 'ab     1\n');
});

test('a header is never narrower than its column, nor wider', () => {
  const narrow = [column('pid', 'pid_t', { width: 1, header: 'PROCESS' }), column('comm', 'comm_t')];
  assert.equal(header(narrow, clock), 'PROCESS COMM\n');
  assert.equal(compileRow(narrow, clock)({ pid: 7, comm: 'cat' }), '      7 cat\n');
});

test('absent values are dashes, and the last column is never padded', () => {
  const format = compileRow([column('fd', 'fd_t'), column('error', 'errno_t')], clock);
  assert.equal(format({ fd: undefined, error: undefined }), '   - -\n');
});

test('a column that renders itself sees the value and the row', () => {
  const own: Column = column('pid', 'pid_t', { text: (value, row) => `${value}/${row.comm}`, align: 'left', width: 8 });
  assert.equal(compileRow([own, column('comm', 'comm_t')], clock)({ pid: 1, comm: 'cat' }), '1/cat    cat\n');
});

test('times are written as the style says, in a column that is wide enough', async () => {
  const columns = [column('time', 'boot_ns_t'), column('pid', 'pid_t')];
  const messages: Message[] = [
    { ...ready('rows'), columns } as Message,
    { type: 'events', rows: [{ time: fakeTime + 1_500_000, pid: 7 }] },
  ];
  const printed = async (style: TextStyle) => (await print(messages, style)).split('\n').slice(0, 2);
  assert.deepEqual(await printed({ time: 'clock', utc: true }), ['TIME         PID', '06:14:04       7']);
  assert.deepEqual(await printed({ time: 'rfc3339', utc: true }), [
    'TIME                            PID',
    '2025-11-21T06:14:04.623456Z       7',
  ]);
  assert.deepEqual(await printed({ time: 'unix', utc: true }), [
    'TIME                  PID',
    '1763705644.623456       7',
  ]);
  assert.deepEqual(await printed({ time: 'relative', utc: true }), ['TIME            PID', '1.500000          7']);
});

test('a column name that is no identifier is only a name', () => {
  const odd = column(`a'"\\\n]`, 'comm_t');
  assert.equal(compileRow([odd], clock)({ [odd.name]: 'x' }), 'x\n');
});

test('an empty table is its header', () => {
  assert.equal(renderTable(fakeColumns, [], clock), 'PID COMM FD ERROR PATH\n');
});

test('a table of texts measures what a terminal shows', () => {
  const columns = [
    { header: 'A', align: 'left' },
    { header: 'N', align: 'right' },
    { header: 'B', align: 'left' },
  ] as const;
  const lines = renderCells(columns, [
    ['日本', '10', 'x'],
    ['ab', '9', 'y'],
  ]);
  assert.equal(lines, 'A     N B\n日本 10 x\nab    9 y\n');
});
