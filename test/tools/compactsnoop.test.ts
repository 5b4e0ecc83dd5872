import assert from 'node:assert/strict';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { watch } from '../helpers/watch.ts';

// Alone: moves pages of the whole machine.

const COMPACT = '/proc/sys/vm/compact_memory';

/** 'node zone' of those that have memory. */
function zonesWithMemory(): string[] {
  const zones = readFileSync('/proc/zoneinfo', 'utf8').matchAll(
    /^Node (\d+), zone +(\w+)\n([\s\S]*?)(?=^Node|$(?![\s\S]))/gm,
  );
  return [...zones]
    .filter(([, , , text]) => Number(/^ +present +(\d+)$/m.exec(text ?? '')?.[1] ?? 0) > 0)
    .map(([, node, zone]) => `${node} ${zone}`)
    .sort();
}

test('each zone that is compacted has a line', async (t) => {
  if (!existsSync(COMPACT)) {
    t.skip('the kernel is built without compaction');
    return;
  }
  const own = ['-p', String(process.pid)];
  let took = 0;
  const { json, text, stranger } = await watch(
    'compactsnoop',
    {
      json: ['--json', '-K', ...own],
      text: ['-T', '-e', ...own],
      stranger: ['--json', '--comm', 'no such'],
    },
    () => {
      const start = performance.now();
      writeFileSync(COMPACT, '1');
      took = (performance.now() - start) * 1e6;
    },
  );
  assert.deepEqual(json.rows.map(({ node, zone }) => `${node} ${zone}`).sort(), zonesWithMemory());
  for (const { pid, order, sync, status, latency, stack, free, high } of json.rows) {
    assert.deepEqual([pid, order, sync], [process.pid, -1, true]);
    assert.match(String(status), /^[a-z_]+$/);
    assert.ok(Number(latency) > 0 && Number(latency) < took);
    assert.match(JSON.stringify(stack), /compact_zone|compact_node/);
    assert.ok(free === undefined || Number(free) > 0);
    assert.ok(Number(high ?? 0) >= 0);
  }
  assert.deepEqual(stranger.rows, []);
  assert.match(text.stdout, /^TIME +COMM +PID NODE ZONE +ORDER MODE +MIN +LOW +HIGH +FREE +LAT\(ms\) STATUS\n/);
  assert.match(
    text.stdout,
    new RegExp(`\\n\\d\\d:\\d\\d:\\d\\d .* +${process.pid} +0 \\w+ +-1 SYNC +\\d+ .* \\d+\\.\\d{3} [a-z_]+\\n`),
  );
});
