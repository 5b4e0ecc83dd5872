import assert from 'node:assert/strict';
import { test } from 'node:test';
import { distributionsIn } from '../helpers/distribution.ts';
import { LoopDisk } from '../helpers/loop-disk.ts';
import { watch } from '../helpers/watch.ts';

test('each request is counted once, under the stack that it was made on', async () => {
  using disk = new LoopDisk();
  const own = ['--json', '-d', disk.name];
  const start = performance.now();
  const { plain, milliseconds, stranger, text } = await watch(
    'biostacks',
    {
      plain: own,
      milliseconds: [...own, '-m'],
      stranger: [...own, '--comm', 'no such'],
      text: ['-T', '-d', disk.name],
    },
    () => {
      disk.read(60, 4096);
      disk.write(40, 8192);
    },
  );
  const took = performance.now() - start;
  const found = distributionsIn(plain.messages);
  const namesOf = (one: (typeof found)[number]) =>
    (one.kernel as { symbol?: string }[]).map(({ symbol }) => symbol ?? '').join(' ');
  const countOf = (pattern: RegExp) =>
    found.filter((one) => pattern.test(namesOf(one))).reduce((sum, { count }) => sum + count, 0);
  assert.equal(countOf(/vfs_read/), 60);
  assert.equal(countOf(/vfs_write/), 40);
  assert.equal(
    found.reduce((sum, { count }) => sum + count, 0),
    100,
  );
  for (const one of found) {
    assert.ok(one.comm === 'dd' && Number(one.pid) > 0 && one.disk === disk.name);
    assert.ok(one.total > 0 && one.total < took * 1000);
    assert.doesNotMatch(namesOf(one), /bpf_|__traceiter/, 'no frames of the tracing itself');
  }
  assert.equal(
    distributionsIn(milliseconds.messages).reduce((sum, { count }) => sum + count, 0),
    100,
  );
  assert.deepEqual(distributionsIn(stranger.messages), []);
  assert.match(
    text.stdout,
    new RegExp(
      `^\\d\\d:\\d\\d:\\d\\d\ncomm = dd\npid = \\d+\ndisk = ${disk.name}\n(    \\w[^\n]*\n)+ +usecs +: count +distribution\n`,
    ),
  );
  assert.match(text.stdout, /\n {4}vfs_read\n/);
});
