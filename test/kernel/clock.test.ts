import assert from 'node:assert/strict';
import { openSync } from 'node:fs';
import { test } from 'node:test';
import { inVirtualMachine } from '../helpers/deadline.ts';
import { type JsonMessage, startCommand, startTool, toolCommand } from '../helpers/run-tool.ts';
import { syscall } from '../helpers/syscall.ts';

const own = ['--json', '-p', String(process.pid), '-t', String(process.pid)];

/** Opens a file that is not there. @returns the moments before and after, in milliseconds since the epoch */
function open(path: string): { readonly path: string; readonly before: number; readonly after: number } {
  const before = Date.now();
  assert.throws(() => openSync(path, 'r'));
  return { path, before, after: Date.now() + 1 };
}

function timeOf(rows: readonly JsonMessage[], path: string): number {
  const row = rows.find((one) => one.path === path);
  assert.ok(row !== undefined, path);
  return Date.parse(String(row.time));
}

/** The time of the row is that of the call; `slack` is in milliseconds. */
function assertThen(rows: readonly JsonMessage[], call: ReturnType<typeof open>, slack: number): void {
  const time = timeOf(rows, call.path);
  assert.ok(
    time >= call.before - slack && time <= call.after + slack,
    `${time} is not from ${call.before} to ${call.after}`,
  );
}

test('times are those of the calls', async () => {
  await using tool = startTool('opensnoop', own);
  await tool.ready();
  const calls = ['/nonexistent/1', '/nonexistent/2', '/nonexistent/3'].map(open);
  const { rows } = await tool.end();
  for (const call of calls) {
    assertThen(rows, call, 2);
  }
});

// What a suspended machine looks like to a process: the clock that goes on is far ahead of the one that stops.
for (const offset of [100_000, -5]) {
  test(`in a time name space that is ${offset} s off, too`, async (t) => {
    const line = ['unshare', '--time', '--boottime', String(offset), '--monotonic', String(offset), '--fork'] as const;
    await using probe = startCommand([...line, '--kill-child', 'true']);
    if ((await probe.ended()).code !== 0) {
      t.skip(`this kernel has no time name spaces: ${probe.stderr.trim()}`);
      return;
    }
    await using tool = startCommand([...line, '--kill-child', ...toolCommand('opensnoop', own)], { json: true });
    await tool.ready();
    const call = open('/nonexistent/elsewhere');
    const row = await tool.row(({ path }) => path === call.path);
    assertThen([row], call, 2);
  });
}

/** settimeofday(2): only where nobody else lives by the clock. */
function jump(seconds: number): void {
  const time = new BigInt64Array([BigInt(Math.round(Date.now() / 1000) + seconds), 0n]);
  assert.equal(syscall('settimeofday', new Uint8Array(time.buffer), 0), 0);
}

if (inVirtualMachine) {
  test('times follow the clock when it jumps', async () => {
    await using tool = startTool('opensnoop', own);
    await tool.ready();
    for (const [i, seconds] of [3600, -7200, 86_400 * 365, -86_400 * 365 + 3600].entries()) {
      const before = open(`/nonexistent/before-${i}`);
      await tool.row(({ path }) => path === before.path);
      jump(seconds);
      const after = open(`/nonexistent/after-${i}`);
      await tool.row(({ path }) => path === after.path);
      // The clock of JavaScript and that of the kernel are read one after the other, here slowly.
      assertThen(tool.rows, before, 1000);
      assertThen(tool.rows, after, 1000);
    }
    assert.equal((await tool.end()).code, 0);
  });
}
