import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CsvOutput } from '../../lib/output/csv.ts';
import { CollectingWriter } from '../helpers/collecting-writer.ts';
import { column, fakeRow, ready } from '../helpers/fake-tool.ts';

test('comma-separated values are those of JSON, quoted where they must be', async () => {
  const writer = new CollectingWriter();
  const output = new CsvOutput(writer, { utc: true });
  const columns = [
    ...['time', 'pid', 'error', 'path'].map((name) => {
      const types = { time: 'boot_ns_t', pid: 'pid_t', error: 'errno_t', path: 'path_t' } as const;
      return column(name, types[name as keyof typeof types]);
    }),
    column('args', 'args_t'),
  ];
  const message = ready('rows');
  assert.ok(message.type === 'ready');
  await output.message({ ...message, columns });
  await output.message({ type: 'warning', text: 'only for people' });
  await output.message({
    type: 'events',
    rows: [
      { ...fakeRow(0), path: 'a "b", c', args: ['x', 'y,z'] },
      { ...fakeRow(1), path: '=1+1', args: [] },
    ],
  });
  assert.equal(
    writer.text,
    [
      'time,pid,error,path,args',
      '2025-11-21T06:14:03.123456Z,100,,"a ""b"", c","[""x"",""y,z""]"',
      '2025-11-21T06:14:03.124456Z,101,2,=1+1,[]',
      '',
    ].join('\n'),
  );
});
