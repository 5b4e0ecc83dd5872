import assert from 'node:assert/strict';
import { closeSync, existsSync, openSync, readFileSync, statfsSync, statSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { diskName } from '../../lib/system/disks.ts';
import { placeOnDisk } from '../helpers/disk.ts';
import type { JsonMessage } from '../helpers/run-tool.ts';
import { mustSyscall } from '../helpers/syscall.ts';
import { TemporaryDirectory } from '../helpers/temporary-directory.ts';
import { watch } from '../helpers/watch.ts';

const BLOCK = 16 * 2 ** 20;
const PAGE = 4096;
const TMPFS = 0x01021994;

/** Pages that may be dirty before the kernel writes them back by itself. */
const mayBeDirty = () =>
  Number(/^nr_dirty_background_threshold (\d+)$/m.exec(readFileSync('/proc/vmstat', 'utf8'))?.[1]);

test('more pages in one round than 16 bits hold', async (t) => {
  const blocks = 17;
  const pages = (blocks * BLOCK) / PAGE;
  assert.ok(pages > 0xffff);
  const parent = ['/mnt/xfs', '/var/tmp'].find(existsSync) ?? tmpdir();
  const { bavail, bsize, type } = statfsSync(parent);
  if (type === TMPFS || bavail * bsize < 2 * blocks * BLOCK || mayBeDirty() < 2 * pages) {
    t.skip('too little memory or disk for so many dirty pages');
    return;
  }
  using place = new TemporaryDirectory(parent);
  const { dev } = statSync(place.path);
  const block = Buffer.alloc(BLOCK, 'x');
  const most = (rows: readonly JsonMessage[]) =>
    Math.max(0, ...rows.filter((row) => row.dev === number(dev)).map((row) => Number(row.pages)));
  const { all } = await watch('writeback', { all: ['--json', '-a'] }, async (running) => {
    // Who calls sync(2) at the same time takes a part of it.
    for (let attempt = 0; attempt < 5 && most(running.all.rows) < pages; attempt++) {
      const before = running.all.rows.length;
      const fd = openSync(join(place.path, 'file'), 'w');
      for (let i = 0; i < blocks; i++) {
        writeSync(fd, block);
      }
      mustSyscall('syncfs', fd);
      closeSync(fd);
      const isOwn = (row: JsonMessage) => row.dev === number(dev) && row.reason === 'sync';
      await running.all.until(({ rows }) => rows.slice(before).some(isOwn), 'a round of the file system');
    }
  });
  // All of the file at once, and little else that was dirty on the same disk.
  assert.ok(most(all.rows) >= pages && most(all.rows) < 10 * pages, `${most(all.rows)} pages`);
});

function number(dev: number): string {
  return `${(dev >> 8) & 0xfff}:${dev & 0xff}`;
}

test('what is written back is a row with device, pages and reason', async (t) => {
  using place = placeOnDisk(t);
  if (place === undefined) {
    return;
  }
  const { dev } = statSync(place.path);
  const { json, every, text } = await watch(
    'writeback',
    { json: ['--json'], every: ['--json', '-a'], text: [] },
    () => {
      const fd = openSync(join(place.path, 'file'), 'w');
      writeSync(fd, Buffer.alloc(200 * 4096, 'x'));
      mustSyscall('syncfs', fd);
      closeSync(fd);
    },
  );
  const own = json.rows.filter((row) => row.dev === number(dev) && row.reason === 'sync');
  assert.ok(own.length > 0, json.stdout);
  assert.ok(own.reduce((sum, { pages }) => sum + Number(pages), 0) >= 200, json.stdout);
  assert.ok(own.every(({ latency, device }) => Number(latency) > 0 && typeof device === 'string'));
  assert.ok(json.rows.every(({ pages }) => Number(pages) > 0));
  assert.ok(every.rows.length >= json.rows.length);
  assert.match(text.stdout, /^TIME +DEVICE +PAGES +REASON +ms\n/);
  assert.ok(text.stdout.includes(String(own[0]?.device)), text.stdout);
  assert.notEqual(diskName(number(dev)), '');
});
