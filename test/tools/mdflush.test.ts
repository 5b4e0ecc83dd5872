import assert from 'node:assert/strict';
import { closeSync, fsyncSync, openSync, writeSync } from 'node:fs';
import { test } from 'node:test';
import { LoopDisk } from '../helpers/loop-disk.ts';
import { watch } from '../helpers/watch.ts';

test('each flush of a device, for the task that asks for it', async () => {
  using disk = new LoopDisk();
  const own = ['--json', '-p', String(process.pid)];
  const { flushes, arrays, stranger, text } = await watch(
    'mdflush',
    {
      flushes: [...own, '-d', disk.name],
      arrays: own,
      stranger: ['--json', '-d', disk.name, '--comm', 'no such'],
      text: ['-d', disk.path],
    },
    () => {
      const fd = openSync(disk.path, 'w');
      for (let i = 0; i < 7; i++) {
        writeSync(fd, 'something');
        fsyncSync(fd);
      }
      closeSync(fd);
    },
  );
  assert.equal(flushes.rows.length, 7);
  assert.ok(flushes.rows.every(({ pid, device }) => pid === process.pid && device === disk.name));
  assert.deepEqual(arrays.rows, [], 'it is no array');
  assert.deepEqual(stranger.rows, []);
  assert.match(text.stdout, /^TIME +PID COMM +DEVICE\n/);
  assert.match(text.stdout, new RegExp(`\\n\\d\\d:\\d\\d:\\d\\d +${process.pid} \\w+ +${disk.name}\\n`));
});
