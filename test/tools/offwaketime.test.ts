import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { JsonMessage } from '../helpers/run-tool.ts';
import { stacksProgram } from '../helpers/stacks-program.ts';
import { TemporaryDirectory } from '../helpers/temporary-directory.ts';
import { wakeTenTimes } from '../helpers/woken.ts';

const waits = (program: string, ...args: string[]) => wakeTenTimes('offwaketime', program, args);

const names = (frames: unknown) => ((frames ?? []) as { symbol?: string }[]).map(({ symbol = '?' }) => symbol);

test('a wait has the stack of the one that waits and of the one that ends it', async (t) => {
  using place = new TemporaryDirectory();
  const program = stacksProgram(t, place);
  if (program === undefined) {
    return;
  }
  const { elapsed, messages } = await waits(program, '--json', '--comm', 'the-sleeper');
  const all = messages.filter(({ type }) => type === 'stack');
  assert.ok(all.every(({ comm }) => comm === 'the-sleeper'));
  const woken = all.filter(
    ({ waker, kernel }) => waker === 'the-waker' && names(kernel).join(' ').includes('pipe_write'),
  );
  const usecs = woken.reduce((sum, { weight }) => sum + Number(weight), 0);
  assert.ok(usecs >= 950_000 && usecs <= elapsed, `${usecs} of ${elapsed} microseconds`);
  for (const { kernel, user, unit, waker_pid, pid } of woken as JsonMessage[]) {
    const frames = names(kernel);
    const border = frames.indexOf('--');
    assert.match(frames.slice(0, border).join(' '), /vfs_write.*pipe_write.*wake/, 'the outermost frame first');
    assert.match(frames.slice(border + 1).join(' '), /^schedule|^__schedule.*pipe_read.*vfs_read/);
    assert.equal(names(user)[0], 'wait_in_here');
    assert.equal(unit, 'usecs');
    assert.notEqual(waker_pid, undefined);
    assert.notEqual(pid, 0);
  }
});

test('folded, the waker comes behind the one that waits', async (t) => {
  using place = new TemporaryDirectory();
  const program = stacksProgram(t, place);
  if (program === undefined) {
    return;
  }
  const { stdout } = await waits(program, '-f', '--comm', 'the-sleeper', '-m', '50000');
  assert.match(
    stdout,
    /^the-sleeper;.*wait_in_here;.*vfs_read_\[k\];.*;--.*;.*pipe_write_\[k\];vfs_write_\[k\];.*;the-waker \d+$/m,
  );
});
