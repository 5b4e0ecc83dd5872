import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Skeleton } from '../../lib/bpf/skeleton.ts';
import type { Message } from '../../lib/model/message.ts';
import { list, listing } from '../../lib/tool.ts';

const skeleton = { name: 'fake' } as Skeleton;
const common = { summary: 'List numbers.', description: '', overhead: '', examples: {} };
const fields = {
  number: { type: 'count_t', help: 'a number' },
  change: { type: 'integer', help: 'how it has changed' },
} as const;

async function messages(tool: ReturnType<typeof listing>, values: Readonly<Record<string, unknown>>) {
  const found: Message[] = [];
  for await (const message of tool.run({ values, signal: new AbortController().signal })) {
    found.push(message);
  }
  return found;
}

test('a listing with an interval shows what there is at its end beside what there was at its beginning', async () => {
  let number = 10;
  const tool = listing(skeleton, {
    ...common,
    readBy: 'anybody',
    options: {},
    fields,
    columns: { number: {}, change: {} },
    interval: 1,
    rows() {
      number -= 3;
      return [{ number }];
    },
    show: (rows, before) => rows.map((row, i) => ({ ...row, change: Number(row.number) - Number(before[i]?.number) })),
  });
  assert.deepEqual(
    tool.positionals.map(({ key }) => key),
    ['interval', 'intervals'],
  );
  const found = await messages(tool, { interval: 0.01, intervals: 2 });
  assert.deepEqual(
    found.map(({ type }) => type),
    ['ready', 'interval', 'table', 'interval', 'table'],
  );
  assert.deepEqual(
    found.flatMap((message) => (message.type === 'table' ? message.rows : [])),
    [
      { number: 4, change: -3 },
      { number: 1, change: -3 },
    ],
  );
});

test('a listing without one is printed once, with the columns that its options decide on', async () => {
  const tool = listing(skeleton, {
    ...common,
    readBy: 'anybody',
    options: { columns: list('-c, --columns <COLUMNS>', 'only these', String) },
    fields,
    columns: { number: {}, change: { shown: ({ columns }) => columns?.includes('change') === true } },
    rows: () => [{ number: 1, change: 0 }],
  });
  assert.deepEqual(tool.positionals, []);
  for (const [columns, expected] of [
    [undefined, ['number']],
    [['change'], ['number', 'change']],
  ] as const) {
    const [ready, table, ...more] = await messages(tool, { columns });
    assert.deepEqual([ready?.type, more], ['ready', []]);
    assert.deepEqual(table?.type === 'table' && table.columns.map(({ name }) => name), expected);
  }
});
