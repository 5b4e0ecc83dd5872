import assert from 'node:assert/strict';
import { test } from 'node:test';
import { distributionsIn } from '../helpers/distribution.ts';
import { LoopDisk } from '../helpers/loop-disk.ts';
import { watch } from '../helpers/watch.ts';

test('each request is counted once, with its size, under its command', async () => {
  using disk = new LoopDisk();
  using other = new LoopDisk();
  const one = ['--json', '-d', disk.name];
  const seen = await watch(
    'bitesize',
    {
      plain: one,
      command: [...one, '-c', 'dd'],
      prefix: [...one, '--comm', 'd'],
      all: ['--json', '--comm', 'dd', '-u', '0'],
    },
    () => {
      disk.read(23, 4096);
      disk.write(7, 16384);
      disk.read(5, 512);
      other.read(3, 65536);
    },
  );
  const buckets = [
    { from: 0, to: 1, count: 5 },
    { from: 2, to: 3, count: 0 },
    { from: 4, to: 7, count: 23 },
    { from: 8, to: 15, count: 0 },
    { from: 16, to: 31, count: 7 },
  ];
  // A worker of the kernel may issue what the task has queued.
  const found = distributionsIn(seen.plain.messages);
  const sum = (of: (row: (typeof found)[number]) => number) => found.reduce((all, row) => all + of(row), 0);
  assert.deepEqual(
    buckets.map(({ from }) => sum((row) => row.buckets.find((bucket) => bucket.from === from)?.count ?? 0)),
    buckets.map(({ count }) => count),
  );
  assert.equal(
    sum(({ count }) => count),
    35,
  );
  assert.equal(
    sum(({ total }) => total),
    23 * 4 + 7 * 16 + 2.5,
  );
  assert.ok(found.every(({ unit, comm }) => unit === 'Kbytes' && /^(dd$|kworker)/.test(String(comm))));
  const own = found.filter(({ comm }) => comm === 'dd');
  assert.equal(own.length, 1);
  assert.deepEqual(
    distributionsIn(seen.command.messages).map(({ comm, count, buckets: its }) => [comm, count, its]),
    own.map(({ comm, count, buckets: its }) => [comm, count, its]),
  );
  // The name is the whole name.
  assert.deepEqual(distributionsIn(seen.prefix.messages), []);
  const [everywhere] = distributionsIn(seen.all.messages);
  assert.ok((everywhere?.count ?? 0) > (own[0]?.count ?? 0), 'the other disk is missing');
});

test('text has a section for each command', async () => {
  using disk = new LoopDisk();
  const { text } = await watch('bitesize', { text: ['-T', '-c', 'dd', '-d', disk.path] }, () => disk.read(20, 4096));
  assert.match(
    text.stdout,
    /^\d\d:\d\d:\d\d\ncomm = dd\n +Kbytes +: count +distribution\n +0 -> 1 +: 0 .*\n +2 -> 3 +: 0 .*\n +4 -> 7 +: \d+ +\|\*{40}\|\n$/,
  );
});
