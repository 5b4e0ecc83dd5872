import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TestCgroup } from '../helpers/cgroup.ts';
import { diskDirectory, readBlocks } from '../helpers/disk.ts';
import { distributionsIn } from '../helpers/distribution.ts';
import { assertCounted, countIn, hardirqCounters } from '../helpers/kernel-counters.ts';
import type { JsonMessage, ToolResult } from '../helpers/run-tool.ts';
import { watch } from '../helpers/watch.ts';

interface Total {
  readonly hardirq: string;
  readonly cpu?: number;
  readonly count: number;
  readonly total?: number;
}

function totalsOf({ messages }: ToolResult): Total[] {
  return messages.filter(({ type }) => type === 'table').flatMap(({ rows }: JsonMessage) => rows as Total[]);
}

test('as many handler runs are counted as the kernel counts interrupts', async (t) => {
  const disk = diskDirectory();
  if (disk === undefined) {
    t.skip('no disk that interrupts');
    return;
  }
  using empty = new TestCgroup();
  const before = hardirqCounters();
  let ready = before;
  let done = before;
  const seen = await watch(
    'hardirqs',
    {
      timed: ['--json'],
      distributed: ['--json', '-d'],
      counted: ['--json', '-C'],
      perCpu: ['--json', '-C', '--CPU'],
      first: ['--json', '-s', '0'],
      nobody: ['--json', '--cgroup', empty.path],
    },
    () => {
      ready = hardirqCounters();
      readBlocks(disk, 400);
      done = hardirqCounters();
    },
  );
  const window = { before, ready, done, after: hardirqCounters() };
  const busy = [...before.keys()].filter((name) => countIn(done, name) - countIn(ready, name) >= 300);
  assert.notEqual(busy.length, 0, 'the disk did not interrupt');
  const distributions = distributionsIn(seen.distributed.messages) as unknown as Total[];
  for (const [name, cpus] of before) {
    for (const rows of [totalsOf(seen.timed), totalsOf(seen.counted), distributions]) {
      const own = rows.filter(({ hardirq }) => hardirq === name);
      assert.ok(own.length <= 1);
      assertCounted(window, name, own[0]?.count ?? 0);
    }
    for (const cpu of cpus.keys()) {
      const own = totalsOf(seen.perCpu).filter((row) => row.hardirq === name && row.cpu === cpu);
      assert.ok(own.length <= 1);
      assertCounted(window, name, own[0]?.count ?? 0, cpu);
    }
    assertCounted(window, name, totalsOf(seen.first).find(({ hardirq }) => hardirq === name)?.count ?? 0, 0);
  }
  assert.ok(totalsOf(seen.timed).every(({ count, total }) => count > 0 && (total ?? 0) > 0));
  assert.ok(totalsOf(seen.counted).every(({ total }) => total === undefined));
  // No task is in there, so none was interrupted.
  assert.deepEqual(totalsOf(seen.nobody), []);
});

test('text is a table, or a section for each handler', async (t) => {
  const disk = diskDirectory();
  if (disk === undefined) {
    t.skip('no disk that interrupts');
    return;
  }
  const { timed, counted, distributed } = await watch(
    'hardirqs',
    { timed: ['-T', '-N'], counted: ['-C', '--per-cpu'], distributed: ['-d'] },
    () => readBlocks(disk, 20),
  );
  assert.match(timed.stdout, /^\d\d:\d\d:\d\d\nHARDIRQ +COUNT +TOTAL_nsecs\n(\S.* +\d+ +\d+\n)+$/);
  assert.match(counted.stdout, /^HARDIRQ +CPU +COUNT\n(\S.* +\d+ +\d+\n)+$/);
  assert.match(distributed.stdout, /^hardirq = \S+\n +usecs +: count +distribution\n/m);
});
