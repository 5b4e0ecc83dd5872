import assert from 'node:assert/strict';
import { test } from 'node:test';
import { assertCounted, countIn, softirqCounters } from '../helpers/kernel-counters.ts';
import type { JsonMessage, ToolResult } from '../helpers/run-tool.ts';
import { exchangeDatagrams } from '../helpers/udp-packets.ts';
import { watch } from '../helpers/watch.ts';

test('every soft interrupt is a row of each stage when the threshold is 0', async () => {
  const before = softirqCounters();
  let ready = before;
  let done = before;
  const seen = await watch(
    'softirqslower',
    {
      all: ['--json', '0'],
      first: ['--json', '-c', '0', '0'],
      slow: ['--json', '60000000'],
      text: ['0'],
    },
    async () => {
      ready = softirqCounters();
      await exchangeDatagrams(300);
      done = softirqCounters();
    },
  );
  const window = { before, ready, done, after: softirqCounters() };
  assert.ok(countIn(done, 'net_rx') - countIn(ready, 'net_rx') >= 300);
  const count = ({ rows }: ToolResult, stage: string, softirq: string) =>
    rows.filter((row) => row.stage === stage && row.softirq === softirq).length;
  for (const name of before.keys()) {
    assertCounted(window, name, count(seen.all, 'run', name));
    assertCounted(window, name, count(seen.first, 'run', name), 0);
    // A vector runs only when it was raised.
    assert.ok(Math.abs(count(seen.all, 'run', name) - count(seen.all, 'wait', name)) <= 2 * window.after.size, name);
  }
  const sane = ({ latency, comm, cpu }: JsonMessage) =>
    Number(latency) < 60e9 && typeof comm === 'string' && Number.isInteger(cpu);
  assert.ok(seen.all.rows.every(sane));
  assert.ok(seen.first.rows.every(({ cpu }) => cpu === 0));
  assert.deepEqual(seen.slow.rows, []);
  assert.match(seen.text.stdout, /^TIME +STAGE SOFTIRQ +LAT\(us\) +CPU COMM\n/);
  assert.match(seen.text.stdout, / (wait|run) +net_rx +\d+ +\d+ \S/);
});
