import assert from 'node:assert/strict';
import { test } from 'node:test';
import { distributionsIn } from '../helpers/distribution.ts';
import { assertCounted, countIn, softirqCounters } from '../helpers/kernel-counters.ts';
import { type JsonMessage, runTool, type ToolResult } from '../helpers/run-tool.ts';
import { exchangeDatagrams } from '../helpers/udp-packets.ts';
import { watch } from '../helpers/watch.ts';

interface Total {
  readonly softirq: string;
  readonly cpu?: number;
  readonly count: number;
  readonly total?: number;
  readonly unit?: string;
}

function totalsOf({ messages }: ToolResult): Total[] {
  return messages.filter(({ type }) => type === 'table').flatMap(({ rows }: JsonMessage) => rows as Total[]);
}

test('as many soft interrupts are counted as the kernel counts', async () => {
  const before = softirqCounters();
  let ready = before;
  let done = before;
  const seen = await watch(
    'softirqs',
    {
      timed: ['--json'],
      distributed: ['--json', '-d'],
      nanoseconds: ['--json', '--distributed', '-N'],
      counted: ['--json', '-C'],
      perCpu: ['--json', '--events', '--per-cpu'],
      first: ['--json', '-c', '0'],
    },
    async () => {
      ready = softirqCounters();
      await exchangeDatagrams(1000);
      done = softirqCounters();
    },
  );
  const window = { before, ready, done, after: softirqCounters() };
  assert.ok(countIn(done, 'net_rx') - countIn(ready, 'net_rx') >= 1000);
  const distributions = distributionsIn(seen.distributed.messages);
  const exact = distributionsIn(seen.nanoseconds.messages);
  for (const [name, cpus] of before) {
    for (const rows of [totalsOf(seen.timed), totalsOf(seen.counted), distributions, exact]) {
      const own = rows.filter(({ softirq }) => softirq === name);
      assert.ok(own.length <= 1);
      assertCounted(window, name, own[0]?.count ?? 0);
    }
    for (const cpu of cpus.keys()) {
      const own = totalsOf(seen.perCpu).filter((row) => row.softirq === name && row.cpu === cpu);
      assert.ok(own.length <= 1);
      assertCounted(window, name, own[0]?.count ?? 0, cpu);
    }
    assertCounted(window, name, totalsOf(seen.first).find(({ softirq }) => softirq === name)?.count ?? 0, 0);
  }

  const names = new Set(before.keys());
  for (const { softirq, count, total, unit, cpu } of totalsOf(seen.timed)) {
    assert.ok(names.has(softirq), softirq);
    assert.ok(count > 0 && (total ?? 0) > 0);
    assert.equal(unit, 'usecs');
    assert.equal(cpu, undefined);
  }
  for (const { total, unit } of [...totalsOf(seen.counted), ...totalsOf(seen.perCpu)]) {
    assert.deepEqual([total, unit], [undefined, undefined]);
  }
  assert.ok(distributions.every(({ unit }) => unit === 'usecs'));
  assert.ok(exact.every(({ unit }) => unit === 'nsecs'));
});

test('text is a table, or a section for each vector', async () => {
  const { timed, counted, distributed, stamped } = await watch(
    'softirqs',
    { timed: [], counted: ['-C', '--per-cpu'], distributed: ['-d', '-e'], stamped: ['-T', '-N'] },
    () => exchangeDatagrams(50),
  );
  assert.match(timed.stdout, /^SOFTIRQ +COUNT +TOTAL_usecs\n([a-z_]+ +\d+ +\d+\n)+$/);
  assert.match(timed.stdout, /^net_rx /m);
  assert.match(counted.stdout, /^SOFTIRQ +CPU +COUNT\n([a-z_]+ +\d+ +\d+\n)+$/);
  assert.match(distributed.stdout, /^softirq = net_rx\n +usecs +: count +distribution\n/m);
  assert.match(distributed.stdout, /^avg = \d+ usecs, total: \d+ usecs, count: \d+, p50 = \d+, p90 = \d+, p99 = \d+$/m);
  assert.match(stamped.stdout, /^\d\d:\d\d:\d\d\nSOFTIRQ +COUNT +TOTAL_nsecs\n/);
});

test('intervals are apart, and end after their number', async () => {
  const { code, messages } = await runTool('softirqs', ['--json', '0.05', '3']);
  assert.equal(code, 0);
  const tables = messages.filter(({ type }) => type === 'table');
  assert.equal(tables.length, 3);
  assert.equal(new Set(tables.map(({ time }) => time)).size, 3);
});
