import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { openSync } from 'node:fs';
import { test } from 'node:test';
import { inVirtualMachine } from '../helpers/deadline.ts';
import { type JsonMessage, type RunningTool, startTool, type ToolResult } from '../helpers/run-tool.ts';

// Alone: takes all processors, so that buffers overflow.

// The main thread: the others have files of their own to open.
const own = ['-t', String(process.pid)];
const path = '/nonexistent/a-path-of-some-length';

/** Opens that each make one record, in this thread and none besides. */
function openTimes(count: number): void {
  for (let i = 0; i < count; i++) {
    try {
      openSync(path, 'r');
      assert.fail('it is there');
    } catch {
      // As it should be.
    }
  }
}

function lostIn(messages: readonly JsonMessage[]): { sum: number; total: number } {
  const lost = messages.filter(({ type, what }) => type === 'lost' && what === 'events');
  const total = Number(lost.at(-1)?.total ?? 0);
  // The last one, at the end, repeats what all have said.
  const totals = lost.map((message) => Number(message.total));
  assert.deepEqual(
    totals,
    totals.toSorted((a, b) => a - b),
  );
  return { sum: Math.max(0, ...totals), total };
}

/** The numbers of the lines for people: what each says was lost, and the last one's total. */
function saidLost(stderr: string): { lines: number[]; total: number } {
  const lines = [...stderr.matchAll(/^opensnoop: lost (\d+) events$/gm)].map(([, count]) => Number(count));
  return { lines, total: Number(/^opensnoop: lost (\d+) events in all$/m.exec(stderr)?.[1] ?? 0) };
}

/**
 * `count` opens were made, and perhaps a few more by the C library: `witness`, with room for everything, knows.
 * @returns how many were lost
 */
function assertAllAccountedFor(
  { code, rows, messages, stderr }: ToolResult,
  witness: ToolResult,
  count: number,
): number {
  assert.equal(code, 0, stderr);
  assert.doesNotMatch(witness.stderr, /lost/);
  assert.equal(witness.rows.filter((row) => row.path === path).length, count);
  const { total, sum } = lostIn(messages);
  assert.equal(sum, total);
  assert.equal(saidLost(stderr).total, total);
  assert.equal(rows.length + total, witness.rows.length);
  return total;
}

/** Starts opensnoop with a buffer of this size, and a witness. */
async function startWitnessed(size: string): Promise<{ tool: RunningTool; witness: RunningTool }> {
  const [tool, witness] = [size, '64M'].map((one) => startTool('opensnoop', [...own, '--json', '--buffer-size', one]));
  assert.ok(tool !== undefined && witness !== undefined);
  await Promise.all([tool.ready(), witness.ready()]);
  return { tool, witness };
}

test('while the tool is stopped: what is printed and what is lost make up what happened', async () => {
  const count = 5000;
  const started = await startWitnessed('4096');
  await using tool = started.tool;
  await using witness = started.witness;
  tool.process.kill('SIGSTOP');
  openTimes(count);
  tool.process.kill('SIGCONT');
  const total = assertAllAccountedFor(await tool.end(), await witness.end(), count);
  // 4 KiB hold some tens of records.
  assert.ok(total > count * 0.9 && total < count);
});

test('while the tool runs: the same, said once a second at most', async () => {
  const started = await startWitnessed('4096');
  await using tool = started.tool;
  await using witness = started.witness;
  const begin = performance.now();
  let count = 0;
  // For so long that more than one line is due.
  while (saidLost(tool.stderr).lines.length < 3) {
    openTimes(2000);
    count += 2000;
    await new Promise(setImmediate);
    assert.ok(performance.now() - begin < 60_000, 'nothing is lost');
  }
  const result = await tool.end();
  const seconds = (performance.now() - begin) / 1000;
  assertAllAccountedFor(result, await witness.end(), count);
  const { lines, total } = saidLost(result.stderr);
  assert.ok(lines.length <= seconds + 1, `${lines.length} lines in ${seconds} s`);
  assert.ok(lines.reduce((sum, one) => sum + one) <= total);
});

test('in a buffer that is large enough nothing is lost, and nothing is said', async () => {
  const count = 5000;
  const started = await startWitnessed('4M');
  await using tool = started.tool;
  await using witness = started.witness;
  tool.process.kill('SIGSTOP');
  openTimes(count);
  tool.process.kill('SIGCONT');
  const result = await tool.end();
  assert.equal(assertAllAccountedFor(result, await witness.end(), count), 0);
  assert.doesNotMatch(result.stderr, /lost/);
});

test('a reader that reads late gets everything', async () => {
  const count = inVirtualMachine ? 5_000 : 50_000;
  const started = await startWitnessed('32M');
  await using tool = started.tool;
  await using witness = started.witness;
  tool.process.stdout?.pause();
  openTimes(count);
  tool.process.stdout?.resume();
  // Who takes nothing for a second when the end is asked for is not waited for, and here both have one reader.
  for (const one of [tool, witness]) {
    await one.until(({ messages }) => messages.length > count, 'all events');
  }
  const result = await tool.end();
  assert.equal(assertAllAccountedFor(result, await witness.end(), count), 0);
});

test('a tool that is stopped for a while under load: every event is printed or counted', async () => {
  const workers = 3;
  const some = inVirtualMachine ? 1_000 : 5_000;
  // Made by the thousand, while the tool runs, is stopped, and runs again.
  const opens = `
    const { openSync } = require('node:fs');
    process.on('message', () => process.exit());
    process.send('running');
    (function some() {
      for (let i = 0; i < 500; i++) try { openSync('${path}'); } catch {}
      process.send(500);
      setImmediate(some);
    })();`;
  const size = ['--buffer-size', '64K'];
  const only = ['--json', '--comm', 'kscope-loaded'];
  const named = `process.title = 'kscope-loaded';${opens}`;
  await using tool = startTool('opensnoop', [...only, ...size]);
  await using witness = startTool('opensnoop', [...only, '--buffer-size', '256M']);
  await Promise.all([tool.ready(), witness.ready()]);
  let made = 0;
  const children = Array.from({ length: workers }, () =>
    spawn(process.execPath, ['-e', named], { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] }),
  );
  const reached = (goal: number) =>
    new Promise<void>((resolve) => {
      for (const child of children) {
        child.on('message', function count() {
          if (made >= goal) {
            child.off('message', count);
            resolve();
          }
        });
      }
    });
  for (const child of children) {
    child.on('message', (count) => {
      made += typeof count === 'number' ? count : 0;
    });
  }
  await reached(some);
  tool.process.kill('SIGSTOP');
  await reached(made + 6 * some);
  tool.process.kill('SIGCONT');
  await reached(made + some);
  await Promise.all(
    children.map((child) => {
      child.send('end');
      return once(child, 'exit');
    }),
  );
  await witness.until(({ messages }) => messages.length > made, 'all events');
  const [seen, all] = await Promise.all([tool.end(), witness.end()]);
  assert.doesNotMatch(all.stderr, /lost/);
  const { total, sum } = lostIn(seen.messages);
  assert.equal(sum, total);
  assert.equal(saidLost(seen.stderr).total, total);
  assert.ok(all.rows.filter((row) => row.path === path).length >= made);
  assert.equal(seen.rows.length + total, all.rows.length);
  assert.ok(total > 0);
});
