import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { Actor } from '../helpers/actor.ts';
import { distributionsIn } from '../helpers/distribution.ts';
import { watch } from '../helpers/watch.ts';

const WAITS = 23;
const FUTEX_WAIT = 0;
const FUTEX_WAKE = 1;
const FUTEX_WAIT_BITSET_PRIVATE = 9 | 128;
const EAGAIN = -11;
const ETIMEDOUT = -110;

test('each wait that ends with a wakeup is counted, at its lock', async () => {
  await using actor = await Actor.start({ threads: 1 });
  const comm = readFileSync(`/proc/${actor.pid}/task/${actor.tids[1]}/comm`, 'utf8').trim();
  const lock = await actor.mustCall('mmap', 0, 4096, 3, 0x22, -1, 0);
  const address = `0x${lock.toString(16)}`;
  const own = ['--json', '-t', String(actor.tids[1])];
  const seen = await watch(
    'futexctn',
    {
      all: own,
      threads: [...own, '-L', '-m'],
      lock: [...own, '-l', address.slice(2)],
      other: [...own, '--lock', '0x10'],
      summary: [...own, '-s'],
      text: ['-t', String(actor.tids[1]), '-e'],
    },
    async () => {
      for (let i = 0; i < WAITS; i++) {
        const wait =
          i % 2 === 0
            ? actor.ask(1, 'futex', lock, FUTEX_WAIT, 0, 0, 0, 0)
            : actor.ask(1, 'futex', lock, FUTEX_WAIT_BITSET_PRIVATE, 0, 0, 0, 0xffffffff);
        const wake = i % 2 === 0 ? FUTEX_WAKE : FUTEX_WAKE | 128;
        while ((await actor.call('futex', lock, wake, 1, 0, 0, 0)) === 0) {
          await setImmediate();
        }
        assert.equal((await wait).result, 0);
      }
      // The value is another one, and nobody comes.
      assert.equal((await actor.ask(1, 'futex', lock, FUTEX_WAIT, 1, 0, 0, 0)).result, EAGAIN);
      const short = new Uint8Array(BigInt64Array.of(0n, 1000n).buffer);
      assert.equal((await actor.ask(1, 'futex', lock, FUTEX_WAIT, 0, short, 0, 0)).result, ETIMEDOUT);
    },
  );
  for (const { messages } of [seen.all, seen.threads, seen.lock]) {
    const mine = distributionsIn(messages).filter((one) => one.lock === address);
    assert.equal(
      mine.reduce((sum, { count }) => sum + count, 0),
      WAITS,
    );
    assert.ok(mine.every((one) => one.pid === actor.pid && one.comm === comm && Array.isArray(one.user)));
  }
  assert.ok(distributionsIn(seen.threads.messages).every(({ tid, unit }) => tid === actor.tids[1] && unit === 'msecs'));
  assert.ok(distributionsIn(seen.lock.messages).every((one) => one.lock === address));
  assert.deepEqual(distributionsIn(seen.other.messages), []);
  const [summary, ...more] = distributionsIn(seen.summary.messages);
  assert.deepEqual(more, []);
  assert.deepEqual([summary?.pid, summary?.lock, summary?.user], [actor.pid, undefined, undefined]);
  // The thread has locks of its own.
  assert.ok((summary?.count ?? 0) >= WAITS);
  assert.match(seen.text.stdout, new RegExp(`pid = ${actor.pid}\ncomm = ${comm}\nlock = ${address}\n {4}\\S`));
});
