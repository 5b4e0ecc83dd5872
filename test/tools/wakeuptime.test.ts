import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { JsonMessage } from '../helpers/run-tool.ts';
import { stacksProgram } from '../helpers/stacks-program.ts';
import { TemporaryDirectory } from '../helpers/temporary-directory.ts';
import { wakeTenTimes } from '../helpers/woken.ts';

interface Wakeups {
  readonly usecs: number;
  readonly elapsed: number;
  readonly own: readonly JsonMessage[];
  readonly stdout: string;
}

/** What the tool says of one thread that another one wakes, each 100 ms. */
async function wakeups(program: string, ...args: string[]): Promise<Wakeups> {
  const { elapsed, messages, stdout } = await wakeTenTimes('wakeuptime', program, args);
  const own = messages.filter(({ comm, target }) => comm === 'the-waker' && target === 'the-sleeper');
  return { usecs: own.reduce((sum, { weight }) => sum + Number(weight), 0), elapsed, own, stdout };
}

test('the time asleep counts for the one that ends it', async (t) => {
  using place = new TemporaryDirectory();
  const program = stacksProgram(t, place);
  if (program === undefined) {
    return;
  }
  const { usecs, elapsed, own } = await wakeups(program, '--json');
  assert.ok(usecs >= 950_000 && usecs <= elapsed, `${usecs} of ${elapsed} microseconds`);
  for (const { kernel, unit } of own) {
    const names = (kernel as { symbol: string }[]).map(({ symbol }) => symbol);
    assert.match(names.join(' '), /pipe_write.*vfs_write/);
    assert.match(
      names[0] ?? '',
      /^(try_to_wake_up|__wake_up|default_wake|autoremove)/,
      'no frames of the tracing itself',
    );
    assert.equal(unit, 'usecs');
  }
});

test('sleeps are kept by their length and by who sleeps', async (t) => {
  using place = new TemporaryDirectory();
  const program = stacksProgram(t, place);
  if (program === undefined) {
    return;
  }
  assert.deepEqual((await wakeups(program, '--json', '-m', '10000000')).own, []);
  assert.deepEqual((await wakeups(program, '--json', '--comm', 'the-waker')).own, []);
  const kept = await wakeups(program, '--json', '--comm', 'the-sleeper', '--useronly');
  assert.ok(kept.usecs >= 900_000, String(kept.usecs));
});

test('a folded line begins with the waker and ends with the one that slept', async (t) => {
  using place = new TemporaryDirectory();
  const program = stacksProgram(t, place);
  if (program === undefined) {
    return;
  }
  const { stdout } = await wakeups(program, '-f');
  assert.match(stdout, /^the-waker;.*vfs_write_\[k\];.*;the-sleeper \d+$/m);
});
