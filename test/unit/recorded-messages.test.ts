import assert from 'node:assert/strict';
import { test } from 'node:test';
import { enumeration } from '../../lib/model/derived-types.ts';
import { stackType } from '../../lib/model/frames.ts';
import type { Message } from '../../lib/model/message.ts';
import type { SemanticType } from '../../lib/model/types.ts';
import { TextOutput } from '../../lib/output/text.ts';
import { linesOf } from '../../lib/replay/lines.ts';
import { CollectingWriter } from '../helpers/collecting-writer.ts';
import { column, fakeColumns, fakeRow, fakeTime, fakeTool, fakeTypes, ready, type } from '../helpers/fake-tool.ts';
import { played, recorded } from '../helpers/replayed.ts';

async function text(messages: readonly Message[]): Promise<string> {
  const writer = new CollectingWriter();
  const output = new TextOutput(writer, { time: 'clock', utc: true });
  for (const message of messages) {
    await output.message(message);
  }
  return writer.text;
}

const stackFields = { user: 'callers' };
const callers = stackType('user') as SemanticType;

test('stacks of events and rows are below them again', async () => {
  const frames = [{ address: 0x10n, symbol: 'in\\ner', offset: 4, module: '/bin/cat' }, { address: 0x20n }];
  const rows = [{ comm: 'a', callers: frames }, { comm: 'b', callers: 'missed' }, { comm: 'c' }];
  const columns = [column('comm', 'comm_t')];
  const types = { comm: type('comm_t'), callers };
  const messages: Message[] = [
    { ...(ready('rows') as Message & { type: 'ready' }), columns, types, stacks: stackFields },
    { type: 'events', rows },
    { type: 'interval', time: fakeTime, stamp: false, clear: false },
    { type: 'table', time: fakeTime, columns, types, rows, stacks: stackFields },
  ];
  const printed = await text(messages);
  assert.match(printed, /in\\\\ner/);
  assert.equal(await text(await played(await recorded(messages, {}))), printed);
});

const totalColumns = [column('comm', 'comm_t'), column('bytes', 'bytes_t', { header: 'BYTES(total)' })];

const everyKind: readonly Message[] = [
  ready('rows'),
  { type: 'events', rows: [0, 1, 2].map(fakeRow) },
  { type: 'lost', what: 'events', count: 3, total: 5, final: false },
  { type: 'warning', text: 'odd "thing"', hint: 'look' },
  { type: 'interval', time: fakeTime, stamp: true, clear: true, heading: 'loadavg: 1 2 3' },
  {
    type: 'table',
    time: fakeTime,
    columns: totalColumns,
    types: { comm: type('comm_t'), bytes: type('bytes_t'), pid: type('pid_t') },
    key: ['comm'],
    rows: [{ comm: 'a\\n', bytes: 5000, pid: 3 }],
  },
  { type: 'interval', time: fakeTime + 1, stamp: false, clear: false },
  {
    type: 'histogram',
    time: fakeTime + 1,
    key: { comm: 'c"t', pid: 7 },
    columns: [column('comm', 'comm_t')],
    types: { comm: type('comm_t'), pid: type('pid_t') },
    unit: 'usecs',
    buckets: [
      { from: 0, to: 1, count: 0 },
      { from: 2, to: 3, count: 4 },
    ],
    count: 4,
    total: 10,
    details: true,
  },
  {
    type: 'stacks',
    time: fakeTime,
    types: { comm: type('comm_t') },
    unit: 'samples',
    tip: 'comm',
    offsets: true,
    addresses: true,
    annotations: true,
    stacks: [
      { key: { comm: 'idle' }, user: 'none', kernel: 'missed', weight: 1 },
      {
        key: { comm: 'cat' },
        user: [{ address: 0xdeadn }, { address: 0x1000n, symbol: 'f\\x1b\u001b[m', offset: 4, module: '/bin/cat' }],
        kernel: 'none',
        weight: 2,
      },
    ],
  },
];

test('what was recorded reads as it was printed', async () => {
  const again = await played(await recorded(everyKind, {}));
  assert.equal(await text(again), await text(everyKind));
  assert.deepEqual(
    again.flatMap((message) => (message.type === 'events' ? message.rows : [])),
    [0, 1, 2].map(fakeRow),
  );
  const kinds = (messages: readonly Message[]) =>
    messages.filter(({ type }) => type !== 'events').map(({ type }) => type);
  assert.deepEqual(kinds(again), kinds(everyKind));
  for (const kind of ['histogram', 'stacks', 'lost', 'warning', 'interval', 'table'] as const) {
    const of = (messages: readonly Message[]) =>
      JSON.stringify(
        messages.find(({ type }) => type === kind),
        printable,
      );
    assert.equal(of(again), of(everyKind));
  }
});

/** Members in one order; of types, the name. */
function printable(_: string, value: unknown): unknown {
  if (typeof value === 'bigint') {
    return String(value);
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return value;
  }
  if ('decode' in value) {
    return (value as { readonly name?: string }).name;
  }
  const sorted = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  // What a table knows besides its columns may know those, too.
  return Object.fromEntries(sorted.filter(([name, member]) => member !== undefined && name !== 'types'));
}

test('a recording has all fields, whatever was shown', async () => {
  const chosen: Message = { ...(ready('rows') as Message & { type: 'ready' }), fields: ['pid'] };
  const [, , event] = (await recorded([chosen, { type: 'events', rows: [fakeRow(0)] }], {})).split('\n');
  assert.deepEqual(Object.keys(JSON.parse(event ?? '')), ['type', 'time', 'pid', 'comm', 'fd', 'path']);
});

test('only the whole of the stacks is recorded, not what was seen in between', async () => {
  const message = everyKind.at(-1) as Message & { type: 'stacks' };
  const again = await played(await recorded([ready('stacks'), { ...message, partial: true }, message], {}));
  assert.equal(again.filter(({ type }) => type === 'stacks').length, 1);
});

test('plain JSON is shown with the columns that the definition always shows', async () => {
  const tool = fakeTool(async function* () {}, { shape: 'snoop' });
  const json = await recorded([ready('rows'), { type: 'events', rows: [0, 1].map(fakeRow) }]);
  const find = async (name: string) => (name === 'rows' ? tool : undefined);
  assert.equal(
    await text(await played(json, find)),
    await text(everyKind.slice(0, 2)).then((all) => all.replace(/.*file-2\n/, '')),
  );
});

test('plain JSON of a tool that nobody knows is shown as it is', async () => {
  const lines = [
    '{"type":"ready","tool":"alien","time":"2025-11-21T06:14:03.123456Z","hooks":[]}',
    '{"type":"event","time":"2025-11-21T06:14:04.000000Z","size":12,"what":"x\\u001b[31m","more":{"a":["\\u0007"]}}',
  ];
  assert.equal(
    await text(await played(lines.join('\n'))),
    'TIME         SIZE WHAT         MORE\n06:14:04       12 x\\x1b[31m    {"a":["\\u0007"]}\n',
  );
});

test('fields can be chosen anew', async () => {
  const again = await played(await recorded(everyKind.slice(0, 2), {}), undefined, ['path', 'time']);
  assert.match(await text(again), /^PATH +TIME *\n\/etc\/file-0 +06:14:03\n/);
});

test('renderings of the definition see the option values of the recorded run', async () => {
  const tool = fakeTool(async function* () {}, {
    columns: (values) => [
      {
        ...column('pid', 'pid_t'),
        help: '',
        text: (pid) => {
          if (pid === 101) {
            throw new TypeError('not mine');
          }
          return `${values?.prefix}${pid}`;
        },
      },
    ],
  });
  const json = await recorded(everyKind.slice(0, 2), { prefix: 'p-', pattern: /x/ });
  const lines = (await text(await played(json, async () => tool))).split('\n');
  assert.match(lines[1] ?? '', /^ *p-100 /);
  // Where a rendering fails, the value is shown.
  assert.match(lines[2] ?? '', /^ *101 /);
});

test('names of an enumeration are texts', async () => {
  const state = enumeration('enum state', new Map([[1n, 'OPEN']]));
  const columns = [{ name: 'state', header: 'STATE', width: 5, align: 'left', type: state } as const];
  const messages: Message[] = [
    { ...(ready('rows') as Message & { type: 'ready' }), columns, types: { state } },
    { type: 'events', rows: [{ state: 'OPEN' }, { state: '7' }] },
  ];
  assert.equal(await text(await played(await recorded(messages, {}))), 'STATE\nOPEN\n7\n');
});

const first = '{"type":"ready","tool":"rows","time":"2025-11-21T06:14:03.123456Z","hooks":[],"options":{}}\n';
const described = `${first}{"type":"columns","of":"event","columns":[],"types":{"pid":"pid_t","args":"args_t","time":"boot_ns_t"}}\n`;
const bad: Readonly<Record<string, readonly [string, RegExp]>> = {
  'no JSON': ['{"type"', /^line 1 .*: it is not JSON$/],
  'no object': ['[1]', /^line 1 .*: \[1\] is not an object$/],
  'no beginning': ['{"type":"event"}', /^line 1 .*: it does not begin with a line of type "ready"$/],
  'a tool that is no name': ['{"type":"ready","tool":7}', /^line 1 .*: 7 is not a text$/],
  'an unknown line': [`${first}\n{"type":"other"}`, /^line 3 .*: there are no lines of type "other"$/],
  'a number that is none': [`${described}{"type":"event","pid":"7"}`, /^line 3 .*: pid: "7" is not a number$/],
  'a list that is none': [`${described}{"type":"event","args":{}}`, /^line 3 .*: args: \{\} is not a list$/],
  'a time that is none': [`${described}{"type":"event","time":"noon"}`, /^line 3 .*: time: "noon" is not a time$/],
  'a table without rows': [
    `${first}{"type":"table","time":"2025-11-21T06:14:03.123456Z"}`,
    /^line 2 .*: nothing is not a list/,
  ],
  'too many buckets': [
    `${first}{"type":"histogram","time":"2025-11-21T06:14:03.123456Z","unit":"us","buckets":[${'1,'.repeat(2000)}1]}`,
    /^line 2 .*: a list of 2001 is too long$/,
  ],
  'a frame without an address': [
    `${first}{"type":"stack","time":"2025-11-21T06:14:03.123456Z","unit":"x","weight":1,"user":[{"address":"zero"}]}`,
    /^line 2 .*: a frame has no address$/,
  ],
  'a width that is none': [
    `${first}{"type":"columns","of":"event","columns":[{"name":"a","header":"A","type":"b","width":"9"}]}`,
    /^line 2 .*: "9" is not a number$/,
  ],
};

for (const [what, [lines, message]] of Object.entries(bad)) {
  test(`a damaged recording is told in one sentence: ${what}`, async () => {
    await assert.rejects(() => played(lines), { name: 'KscopeError', code: 'failed', message });
  });
}

test('deep nesting is no way to exhaust the stack', async () => {
  const deep = `${first}{"type":"event","a":${'['.repeat(200_000)}${']'.repeat(200_000)}}`;
  await assert.rejects(
    async () => text(await played(deep)),
    (error) => error instanceof RangeError || /nested too deeply/.test(String(error)),
  );
});

test('hostile names do not reach the text raw, and are no way into objects', async () => {
  const lines = [
    '{"type":"ready","tool":"__proto__","time":"2025-11-21T06:14:03.123456Z","hooks":[],"options":{"__proto__":{"x":1}}}',
    '{"type":"columns","of":"event","columns":[{"name":"__proto__","header":"\\u001b]0;x\\u0007","width":1e9,"type":"text_t"},{"name":"a","header":"A\\u202e","width":-5,"type":"constructor","align":"up"}],"types":{"__proto__":"text_t"}}',
    '{"type":"event","__proto__":"\\u001b[2J","a":"\\u0085"}',
  ];
  const shown = await text(await played(lines.join('\n')));
  assert.equal(/[^\n\x20-\x7e]/.test(shown), false, JSON.stringify(shown));
  assert.equal(({} as { x?: number }).x, undefined);
});

test('lines come whole, however they are cut, and not without end', async () => {
  async function* chunks(parts: readonly string[]) {
    for (const part of parts) {
      yield Buffer.from(part);
    }
  }
  const lines = [];
  for await (const batch of linesOf(chunks(['a', 'b\nc', '\n', '\nlast']))) {
    lines.push(...batch);
  }
  assert.deepEqual(lines, [
    { text: 'ab', number: 1 },
    { text: 'c', number: 2 },
    { text: '', number: 3 },
    { text: 'last', number: 4 },
  ]);
  await assert.rejects(
    async () => {
      for await (const _ of linesOf(chunks(['a\nxxxx', 'xxxxxxx']), 8)) {
        // Only the end matters.
      }
    },
    { message: 'line 2 is longer than 8 bytes: this is no recording' },
  );
});

test('columns of the recording are those of the run, also where events have none', async () => {
  const [start] = await played(
    await recorded([{ ...(ready('rows') as Message & { type: 'ready' }), columns: [] }], {}),
  );
  assert.deepEqual(start?.type === 'ready' && start.columns, []);
  assert.equal(start?.type === 'ready' && start.activity, 'Tracing nothing');
  assert.equal(fakeColumns.length > 0 && Object.keys(fakeTypes).length > 0, true);
});
