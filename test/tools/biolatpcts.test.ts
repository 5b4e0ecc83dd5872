import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LoopDisk } from '../helpers/loop-disk.ts';
import { type JsonMessage, runTool, startTool, type ToolResult } from '../helpers/run-tool.ts';
import { watch } from '../helpers/watch.ts';

const rowsOf = ({ messages }: ToolResult) =>
  messages.flatMap(({ type, rows }) => (type === 'table' ? (rows as JsonMessage[]) : []));

test('percentiles of each kind of request of one disk', async () => {
  using disk = new LoopDisk();
  using other = new LoopDisk();
  const long = '1000';
  const start = performance.now();
  const seen = await watch(
    'biolatpcts',
    {
      plain: ['--json', disk.name, long],
      after: ['--json', '-w', 'after-rq-alloc', '-i', long, disk.path],
      all: ['--json', '-i', long],
      from: ['--json', '-w', 'from-rq-alloc', '-p', '50,99.9', disk.name, long],
      text: [disk.name, '-p', '50,99.9', long],
    },
    () => {
      disk.read(100, 4096);
      disk.write(40, 8192);
      other.read(5, 512);
    },
  );
  const took = (performance.now() - start) * 1e6;
  for (const rows of [seen.plain, seen.after, seen.from].map(rowsOf)) {
    assert.deepEqual(
      rows.map(({ operation, count }) => [operation, count]),
      [
        ['Read', 100],
        ['Write', 40],
      ],
    );
  }
  for (const [i, row] of rowsOf(seen.plain).entries()) {
    const { disk: _, operation, count, ...percentiles } = row;
    assert.deepEqual(
      Object.keys(percentiles),
      [1, 5, 10, 16, 25, 50, 75, 84, 90, 95, 99, 100].map((percent) => `p${percent}`),
    );
    const values = Object.values(percentiles).map(Number);
    assert.deepEqual(
      values,
      [...values].sort((a, b) => a - b),
    );
    assert.ok(values.every((value) => value > 0 && value < took));
    // What is measured begins earlier.
    assert.ok(Number(rowsOf(seen.after)[i]?.p50) >= Number(row.p50));
  }
  const others = rowsOf(seen.all).filter((row) => row.disk === other.name);
  assert.deepEqual(
    others.map(({ operation, count }) => [operation, count]),
    [['Read', 5]],
  );
  assert.deepEqual(Object.keys(rowsOf(seen.from)[0] ?? {}), ['disk', 'operation', 'count', 'p50', 'p99_9']);
  assert.match(
    seen.text.stdout,
    /^DISK +OPERATION +COUNT +p50 +p99\.9\nloop\d+ +Read +100 +[\d.]+[um]s +[\d.]+[um]?s\nloop\d+ +Write +40 /,
  );
});

test('one report when a signal asks, or none but the last', async () => {
  using disk = new LoopDisk();
  await using tool = startTool('biolatpcts', ['--json', '-i', '-1', disk.name]);
  await tool.ready();
  const reports = () => tool.messages.flatMap(({ type, rows }) => (type === 'table' ? [rows as JsonMessage[]] : []));
  const counts = () => reports().map((rows) => rows.map(({ operation, count }) => [operation, count]));
  const asked: readonly NodeJS.Signals[] = ['SIGUSR2', 'SIGUSR1', 'SIGUSR2'];
  for (const [i, signal] of asked.entries()) {
    disk.read(i + 3, 4096);
    tool.process.kill(signal);
    await tool.until(() => reports().length === i + 1, 'a report');
  }
  disk.write(2, 4096);
  const { code, stderr } = await tool.end();
  assert.equal(code, 0, stderr);
  // What SIGUSR2 shows is not done with.
  assert.deepEqual(counts(), [
    [['Read', 3]],
    [['Read', 7]],
    [['Read', 5]],
    [
      ['Read', 5],
      ['Write', 2],
    ],
  ]);
  const tried = await runTool('biolatpcts', ['--json', '-i', '0', disk.name]);
  assert.deepEqual([tried.code, rowsOf(tried)], [0, []], tried.stderr);
});

test('the disk must be one, and percentiles be some', async () => {
  const [wrong, beyond] = await Promise.all([
    runTool('biolatpcts', ['no/disk']),
    runTool('biolatpcts', ['-p', '101', 'no/disk']),
  ]);
  assert.deepEqual([wrong.code, beyond.code], [2, 2]);
  assert.match(wrong.stderr, /'no\/disk' is not a disk/);
  assert.match(beyond.stderr, /'101' is not a number above 0/);
});
