import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { CachedFile } from '../helpers/cached-file.ts';
import { placeOnDisk } from '../helpers/disk.ts';
import { watch } from '../helpers/watch.ts';

test('a process has its own hits and misses', async (t) => {
  using place = placeOnDisk(t);
  if (place === undefined) {
    return;
  }
  const path = join(place.path, 'file');
  using file = new CachedFile(path, 100);
  file.drop();
  const { json, text } = await watch(
    'cachetop',
    { json: ['--json', '60', '-f', path], text: ['-C', '60', '-f', path] },
    () => {
      file.read(0, 100);
      file.read(0, 100);
      file.write(0, 10);
      file.write(100, 30);
    },
  );
  const rows = json.messages.filter(({ type }) => type === 'table').flatMap((message) => message.rows as object[]);
  assert.equal(rows.length, 1);
  const { comm, ...rest } = rows[0] as { readonly comm: string };
  assert.equal(typeof comm, 'string');
  assert.deepEqual(rest, {
    pid: process.pid,
    uid: 0,
    accesses: 200,
    added: 130,
    written: 30,
    dirties: 40,
    misses: 100,
    hits: 100,
    ratio: 50,
    write_ratio: 25,
  });
  assert.match(text.stdout, /loadavg: .*\n *PID +UID +CMD +HITS +MISSES +DIRTIES +READ_HIT% +WRITE_HIT%\n/);
  assert.match(text.stdout, new RegExp(`^ *${process.pid} +0 +\\S+ +100 +100 +40 +50\\.00 +25\\.00$`, 'm'));
});
