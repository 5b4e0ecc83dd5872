import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Actor } from '../helpers/actor.ts';
import { compiledProgram } from '../helpers/compiled-program.ts';
import { startCommand } from '../helpers/run-tool.ts';
import { TemporaryDirectory } from '../helpers/temporary-directory.ts';
import { watch } from '../helpers/watch.ts';

const CLOCK_MONOTONIC = 1;
const TIMER_ABSTIME = 1;
// The kernel's own: what the program gets, EINTR or the rest of the sleep, is not decided yet.
const ERESTART_RESTARTBLOCK = 516;
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

// Is woken by a timer, however long it takes to fall asleep.
const woken = `
#include <signal.h>
#include <sys/time.h>
#include <time.h>

static void wake(int signal) {}

int main(void)
{
	struct itimerval often = { { 0, 20000 }, { 0, 20000 } };
	struct timespec long_time = { 1000, 0 };

	signal(SIGALRM, wake);
	setitimer(ITIMER_REAL, &often, 0);
	return nanosleep(&long_time, 0) == 0;
}
`;

test('a sleep that is interrupted is as long as it was', async (t) => {
  using place = new TemporaryDirectory();
  const program = compiledProgram(t, place, 'woken', woken);
  if (program === undefined) {
    return;
  }
  let took = 0;
  const own = ['--json', '--comm', 'woken'];
  const seen = await watch('naptime', { all: own, failed: [...own, '-x'] }, async () => {
    const start = performance.now();
    await using running = startCommand([program]);
    const { code } = await running.ended();
    assert.equal(code, 0);
    took = (performance.now() - start) * 1e6;
  });
  for (const { rows } of [seen.all, seen.failed]) {
    assert.deepEqual(
      rows.map(({ requested, error }) => [requested, error]),
      [[1000e9, ERESTART_RESTARTBLOCK]],
    );
    assert.ok(Number(rows[0]?.slept) > 0 && Number(rows[0]?.slept) < took);
  }
});
