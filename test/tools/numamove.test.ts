import assert from 'node:assert/strict';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { type JsonMessage, runTool } from '../helpers/run-tool.ts';
import { watch } from '../helpers/watch.ts';

// Alone: counts the pages that anybody has moved.

const COMPACT = '/proc/sys/vm/compact_memory';

const moved = () => Number(/^pgmigrate_success (\d+)$/m.exec(readFileSync('/proc/vmstat', 'utf8'))?.[1]);

test('the pages that are moved for a reason', async (t) => {
  if (!existsSync(COMPACT)) {
    t.skip('the kernel is built without compaction');
    return;
  }
  let pages = 0;
  const { compaction, numa } = await watch(
    'numamove',
    { compaction: ['--json', '--reason', 'compaction', '1000'], numa: ['--json', '1000'] },
    () => {
      const before = moved();
      writeFileSync(COMPACT, '1');
      pages = moved() - before;
    },
  );
  const sum = (messages: readonly JsonMessage[]) =>
    messages
      .flatMap(({ type, rows }) => (type === 'table' ? (rows as JsonMessage[]) : []))
      .reduce((all, { migrations }) => all + Number(migrations), 0);
  // Others may have pages moved at the same time, and what compaction does in the background goes on.
  assert.ok(sum(compaction.messages) >= 0.9 * pages, `${sum(compaction.messages)} of ${pages} pages`);
  assert.ok(sum(compaction.messages) <= moved());
  if (!existsSync('/sys/devices/system/node/node1')) {
    assert.equal(sum(numa.messages), 0, 'there is no other node');
  }
});

test('a reason that is none is wrong usage', async () => {
  const { code, stderr } = await runTool('numamove', ['--reason', 'boredom']);
  assert.equal(code, 2);
  assert.match(stderr, /for the reason 'boredom'\nhint: reasons: .*compaction.*numa_misplaced/);
});
