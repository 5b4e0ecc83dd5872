import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Actor } from '../helpers/actor.ts';
import { watch } from '../helpers/watch.ts';

const CLOCK_MONOTONIC = 1;
const TIMER_ABSTIME = 1;
const EINVAL = 22;

const time = (seconds: number, nanoseconds: number) =>
  new Uint8Array(BigInt64Array.of(BigInt(seconds), BigInt(nanoseconds)).buffer);

test('each sleep is a row with what was asked for and what it was', async () => {
  await using actor = await Actor.start();
  const own = ['-p', String(actor.pid)];
  const { all, failed, text } = await watch(
    'naptime',
    { all: ['--json', ...own], failed: ['--json', '-x', ...own], text: own },
    async () => {
      await actor.mustCall('nanosleep', time(0, 3_000_000), 0);
      await actor.mustCall('clock_nanosleep', CLOCK_MONOTONIC, 0, time(0, 20_000_000), 0);
      // The past: returns at once.
      await actor.mustCall('clock_nanosleep', CLOCK_MONOTONIC, TIMER_ABSTIME, time(1, 5), 0);
      await actor.call('nanosleep', time(0, 1_000_000_000), 0);
    },
  );
  const shown = all.rows.map(({ syscall, requested, until, error, ppid, pid }) => ({
    syscall,
    requested,
    until,
    error,
    ppid,
    pid,
  }));
  const common = { until: undefined, error: undefined, ppid: process.pid, pid: actor.pid };
  assert.deepEqual(shown, [
    { ...common, syscall: 'nanosleep', requested: 3_000_000 },
    { ...common, syscall: 'clock_nanosleep', requested: 20_000_000 },
    { ...common, syscall: 'clock_nanosleep', requested: 1_000_000_005, until: true },
    { ...common, syscall: 'nanosleep', requested: 1_000_000_000, error: EINVAL },
  ]);
  const slept = all.rows.map((row) => Number(row.slept));
  assert.ok((slept[0] ?? 0) >= 3_000_000 && (slept[1] ?? 0) >= 20_000_000, String(slept));
  assert.ok(slept.every((one) => one > 0));
  assert.equal(failed.rows.length, 1);
  assert.match(text.stdout, /^TIME +PPID +PCOMM +PID +COMM +SECONDS +SLEPT +ERR\n/);
  assert.match(text.stdout, / 0\.003000 +0\.\d{6} +-\n/);
});
