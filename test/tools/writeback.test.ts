import assert from 'node:assert/strict';
import { closeSync, openSync, statSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { diskName } from '../../lib/system/disks.ts';
import { placeOnDisk } from '../helpers/disk.ts';
import { mustSyscall } from '../helpers/syscall.ts';
import { watch } from '../helpers/watch.ts';

test('what is written back is a row with device, pages and reason', async (t) => {
  using place = placeOnDisk(t);
  if (place === undefined) {
    return;
  }
  const { dev } = statSync(place.path);
  const number = `${(dev >> 8) & 0xfff}:${dev & 0xff}`;
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
  const own = json.rows.filter((row) => row.dev === number && row.reason === 'sync');
  assert.ok(own.length > 0, json.stdout);
  assert.ok(own.reduce((sum, { pages }) => sum + Number(pages), 0) >= 200, json.stdout);
  assert.ok(own.every(({ latency, device }) => Number(latency) > 0 && typeof device === 'string'));
  assert.ok(json.rows.every(({ pages }) => Number(pages) > 0));
  assert.ok(every.rows.length >= json.rows.length);
  assert.match(text.stdout, /^TIME +DEVICE +PAGES +REASON +ms\n/);
  assert.ok(text.stdout.includes(String(own[0]?.device)), text.stdout);
  assert.notEqual(diskName(number), '');
});
