import assert from 'node:assert/strict';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { everyCpu } from '../../lib/system/cpus.ts';
import { hasNodes, nodeOfCpu, Pages, Unbalanced } from '../helpers/numa.ts';
import { onProcessor } from '../helpers/processors.ts';
import { type JsonMessage, runTool } from '../helpers/run-tool.ts';
import { watch } from '../helpers/watch.ts';

// Alone: counts the pages that anybody has moved.

const WAIT = 60_000;
const COMPACT = '/proc/sys/vm/compact_memory';

const counter = (name: string) =>
  Number(new RegExp(`^${name} (\\d+)$`, 'm').exec(readFileSync('/proc/vmstat', 'utf8'))?.[1]);
const moved = () => counter('pgmigrate_success');

function sum(messages: readonly JsonMessage[], field = 'migrations'): number {
  return messages
    .flatMap(({ type, rows }) => (type === 'table' ? (rows as JsonMessage[]) : []))
    .reduce((all, row) => all + Number(row[field]), 0);
}

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
  // Others may have pages moved at the same time, and what compaction does in the background goes on.
  assert.ok(sum(compaction.messages) >= 0.9 * pages, `${sum(compaction.messages)} of ${pages} pages`);
  assert.ok(sum(compaction.messages) <= moved());
  if (!hasNodes()) {
    assert.equal(sum(numa.messages), 0, 'there is no other node');
  }
});

test('each page that system calls move to another node, and how long that took', async (t) => {
  if (!hasNodes()) {
    t.skip('there is only one node');
    return;
  }
  using _still = new Unbalanced();
  const pages = new Pages(64);
  const single = new Pages(1);
  pages.moveTo(0);
  single.moveTo(0);
  const balanced = counter('numa_pages_migrated');
  const { calls, policies, numa } = await watch(
    'numamove',
    {
      calls: ['--json', '--reason', 'syscall', '1000'],
      policies: ['--json', '--reason', 'mempolicy_mbind', '1000'],
      numa: ['--json', '1000'],
    },
    () => {
      for (let i = 0; i < 5; i++) {
        for (const node of [1, 0]) {
          pages.moveTo(node);
          single.moveTo(node);
        }
      }
      // Where they are already: nothing moves.
      pages.moveTo(0);
      pages.bindTo(1);
      pages.bindTo(0);
      pages.bindTo(1);
    },
  );
  assert.equal(sum(calls.messages), 10 * (64 + 1));
  assert.equal(sum(calls.messages, 'failures'), 0);
  assert.equal(sum(policies.messages), 3 * 64);
  // Pages of others that were marked before balancing was turned off are moved when they are used.
  assert.ok(sum(numa.messages) <= counter('numa_pages_migrated') - balanced);
  const took = sum(calls.messages, 'milliseconds');
  // Moves of less than a millisecond count as well.
  assert.ok(took > 0 && !Number.isInteger(took), `${took} ms`);
});

/** Uses pages until all are on node 1: the kernel looks at what a program uses only while it runs. */
function follow(pages: Pages): void {
  for (const end = Date.now() + WAIT; pages.nodes().some((node) => node !== 1); ) {
    assert.ok(Date.now() < end, `pages are on nodes ${pages.nodes().join(' ')}`);
    for (let i = 0; i < 1000; i++) {
      pages.touch();
    }
  }
}

test('each page that follows its program to another node', async (t) => {
  if (!hasNodes()) {
    t.skip('there is only one node');
    return;
  }
  const all = () => counter('numa_pages_migrated');
  using balancing = new Unbalanced();
  const processor = everyCpu().find((one) => nodeOfCpu(one) === 1) ?? assert.fail('no processor on node 1');
  const pages = new Pages(64);
  pages.moveTo(0);
  let during = 0;
  const start = all();
  const { numa } = await watch('numamove', { numa: ['--json', '1000'] }, () => {
    const before = all();
    balancing.without(() => onProcessor(processor, () => follow(pages)));
    during = all() - before;
  });
  const most = all() - start;
  const seen = sum(numa.messages);
  assert.ok(during >= 64, `${during} pages`);
  assert.ok(seen >= during && seen <= most, `${seen} of ${during} to ${most} pages`);
});

test('a reason that is none is wrong usage', async () => {
  const { code, stderr } = await runTool('numamove', ['--reason', 'boredom']);
  assert.equal(code, 2);
  assert.match(stderr, /for the reason 'boredom'\nhint: reasons: .*compaction.*numa_misplaced/);
});
