import assert from 'node:assert/strict';
import { test } from 'node:test';
import { allowedProcessors } from '../helpers/processors.ts';
import type { JsonMessage, ToolResult } from '../helpers/run-tool.ts';
import { ranLonger, spinOn } from '../helpers/spinner.ts';
import { watch } from '../helpers/watch.ts';

const HERTZ = 499;

function rowsOf({ messages }: ToolResult): JsonMessage[] {
  return messages.filter(({ type }) => type === 'table').flatMap(({ rows }) => rows as JsonMessage[]);
}

test('a process that stays on one processor is seen there as long as it runs', async () => {
  const processor = allowedProcessors().at(-1) ?? 0;
  await using spinner = spinOn(processor);
  await ranLonger(spinner.pid, 1e6);
  const own = ['--json', '-F', String(HERTZ), '-p', String(spinner.pid)];
  let ran = 0;
  const seen = await watch(
    'cpuwalk',
    {
      own,
      command: [...own, '-P'],
      elsewhere: [...own, '-u', '1'],
      there: ['--json', '-P', '-C', String(processor)],
      text: ['-p', String(spinner.pid)],
    },
    async () => {
      ran = await ranLonger(spinner.pid, 200e6);
    },
  );
  const [row, ...more] = rowsOf(seen.own);
  assert.deepEqual(more, []);
  assert.equal(row?.cpu, processor);
  // It runs on while the tools are ended.
  const expected = (ran / 1e9) * HERTZ;
  assert.ok(Number(row?.samples) > expected * 0.7, `${row?.samples} samples of ${expected}`);
  assert.deepEqual(
    rowsOf(seen.command).map(({ cpu, comm }) => [cpu, comm]),
    [[processor, 'sh']],
  );
  assert.deepEqual(rowsOf(seen.elsewhere), []);
  assert.ok(rowsOf(seen.there).every(({ cpu, comm }) => cpu === processor && comm !== ''));
  assert.ok(rowsOf(seen.there).some(({ comm }) => comm === 'sh'));
  assert.match(seen.text.stdout, new RegExp(`^CPU SAMPLES\n +${processor} +\\d+\n$`));
});
