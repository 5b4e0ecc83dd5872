import assert from 'node:assert/strict';
import { test } from 'node:test';
import { counterProblem } from '../../lib/bpf/hardware-counters.ts';
import { hitPercent } from '../../tools/llcstat.ts';
import { type JsonMessage, runTool, startCommand } from '../helpers/run-tool.ts';

test('misses of a process that jumps through memory, or a clear word that nobody counts', async () => {
  if ((counterProblem('cache references') ?? counterProblem('cache misses')) !== undefined) {
    const { code, stdout, stderr } = await runTool('llcstat', ['1', '1']);
    assert.deepEqual([code, stdout], [3, '']);
    assert.match(
      stderr,
      /^llcstat: this kernel lacks what llcstat needs: there is no counter of cache (references|misses), as/,
    );
    return;
  }
  const script =
    'const a = new Int32Array(2 ** 25); for (let i = 0, at = 1;; i++) { a[at]++; at = (at * 1103515245 + 12345) & (2 ** 25 - 1); }';
  await using jumping = startCommand([process.execPath, '-e', script]);
  const { code, messages } = await runTool('llcstat', ['--json', '-p', String(jumping.pid), '1', '1']);
  assert.equal(code, 0);
  const rows = messages.flatMap(({ type, rows: all }) => (type === 'table' ? (all as JsonMessage[]) : []));
  const sum = (name: string) => rows.reduce((all, row) => all + Number(row[name]), 0);
  assert.ok(rows.length > 0 && rows.every(({ pid }) => pid === jumping.pid));
  assert.ok(sum('references') > 0 && sum('misses') > 0);
});

test('the share of hits is none where samples have more misses than references', () => {
  const share = (references: number, misses: number) => hitPercent({ references, misses });
  assert.deepEqual([share(400, 100), share(300, 200), share(100, 0), share(100, 100)], [75, 100 / 3, 100, 0]);
  // Neither 0 nor a negative number.
  assert.deepEqual([share(100, 200), share(0, 100), share(0, 0)], [undefined, undefined, undefined]);
});
