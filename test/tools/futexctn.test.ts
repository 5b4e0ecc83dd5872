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
const ENOSYS = -38;
const FUTEX2_SIZE_U32 = 2;

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

for (const [name, several] of [
  ['futex_wait', false],
  ['futex_waitv', true],
] as const) {
  test(`waits of ${name} are counted, at the lock that ended them`, async (t) => {
    await using actor = await Actor.start({ threads: 1 });
    const { result } = await actor.ask(0, name, 0, 0, 0, 0, 0, 0);
    if (result === ENOSYS) {
      t.skip(`this kernel has no ${name}`);
      return;
    }
    const lock = await actor.mustCall('mmap', 0, 4096, 3, 0x22, -1, 0);
    // The second of two is given.
    const both = Buffer.alloc(48);
    for (const at of [0, 1]) {
      both.writeBigUInt64LE(BigInt(lock) + BigInt(4 * at), 24 * at + 8);
      both.writeUInt32LE(FUTEX2_SIZE_U32, 24 * at + 16);
    }
    const given = several ? lock + 4 : lock;
    const own = ['--json', '-t', String(actor.tids[1])];
    const seen = await watch(
      'futexctn',
      { all: own, lock: [...own, '-l', given.toString(16)], other: [...own, '-l', (given + 64).toString(16)] },
      async () => {
        for (let i = 0; i < WAITS; i++) {
          const wait = several
            ? actor.ask(1, name, both, 2, 0, 0, 0)
            : actor.ask(1, name, lock, 0, 0xffffffff, FUTEX2_SIZE_U32, 0, 0);
          while ((await actor.call('futex', given, FUTEX_WAKE, 1, 0, 0, 0)) === 0) {
            await setImmediate();
          }
          assert.equal((await wait).result, several ? 1 : 0);
        }
      },
    );
    for (const { messages } of [seen.all, seen.lock]) {
      const mine = distributionsIn(messages).filter((one) => one.lock === `0x${given.toString(16)}`);
      assert.equal(
        mine.reduce((sum, { count }) => sum + count, 0),
        WAITS,
      );
    }
    assert.deepEqual(distributionsIn(seen.other.messages), []);
  });
}
