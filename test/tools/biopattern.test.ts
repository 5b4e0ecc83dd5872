import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LoopDisk } from '../helpers/loop-disk.ts';
import type { JsonMessage } from '../helpers/run-tool.ts';
import { watch } from '../helpers/watch.ts';

const rowsOf = (messages: readonly JsonMessage[]) =>
  messages.flatMap(({ type, rows }) => (type === 'table' ? (rows as JsonMessage[]) : []));

test('a request that begins where the last one ended is sequential', async () => {
  using disk = new LoopDisk();
  using other = new LoopDisk();
  const { own, all, text } = await watch(
    'biopattern',
    { own: ['--json', '-d', disk.name], all: ['--json', '1000'], text: ['-T', '-d', disk.name] },
    () => {
      disk.read(100, 4096);
      disk.write(50, 8192);
      other.read(3, 512);
    },
  );
  const [row, ...more] = rowsOf(own.messages);
  assert.deepEqual(more, []);
  const {
    disk: name,
    count,
    random,
    sequential,
    bytes,
    random_percent,
    sequential_percent,
  } = row ?? ({} as JsonMessage);
  assert.deepEqual([name, count, random, sequential, bytes], [disk.name, 150, 1, 148, 100 * 4096 + 50 * 8192]);
  assert.deepEqual([random_percent, sequential_percent], [1, 99]);
  const found = rowsOf(all.messages).find((one) => one.disk === other.name);
  assert.deepEqual([found?.count, found?.random, found?.sequential, found?.random_percent], [3, 0, 2, 0]);
  assert.match(text.stdout, /^\d\d:\d\d:\d\d\nDISK +%RND %SEQ COUNT KBYTES\n/);
  assert.match(text.stdout, new RegExp(`\\n${disk.name} +1 +99 +150 +800\\n$`));
});

test('what was last is remembered from one output to the next', async () => {
  using disk = new LoopDisk();
  const { own } = await watch('biopattern', { own: ['--json', '-d', disk.name, '0.05'] }, async ({ own: running }) => {
    const counted = (least: number) =>
      running.until(({ messages }) => rowsOf(messages).reduce((sum, { count }) => sum + Number(count), 0) >= least);
    disk.read(1, 4096);
    await counted(1);
    disk.read(1, 4096);
    await counted(2);
  });
  assert.deepEqual(
    rowsOf(own.messages).map(({ count, random, sequential }) => [count, random, sequential]),
    [
      [1, 0, 0],
      [1, 1, 0],
    ],
  );
});

test('a request that completes in parts is one', async () => {
  using disk = new LoopDisk();
  disk.cut(6144);
  const { own } = await watch('biopattern', { own: ['--json', '-d', disk.name] }, () => {
    disk.read(1, 4096);
    disk.readFails(8192);
  });
  const [{ count, random, sequential } = {} as JsonMessage] = rowsOf(own.messages);
  assert.deepEqual([count, random, sequential], [2, 1, 0]);
});
