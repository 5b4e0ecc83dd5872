import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { allowedProcessors } from '../helpers/processors.ts';
import { runTool, startTool } from '../helpers/run-tool.ts';
import { ranLonger, spinOn } from '../helpers/spinner.ts';
import { tableRows } from '../helpers/tables.ts';

// Alone: compares with how long processors are idle.

/** Clock ticks that processors were idle, all, and all but the one given. */
function ticks(without: number): { readonly all: number; readonly idle: number; readonly idleElsewhere: number } {
  const sums = { all: 0, idle: 0, idleElsewhere: 0 };
  for (const [, cpu, numbers = ''] of readFileSync('/proc/stat', 'utf8').matchAll(/^cpu(\d+) (.*)$/gm)) {
    const [user = 0, nice = 0, system = 0, idle = 0, io = 0, hard = 0, soft = 0, steal = 0] = numbers
      .split(' ')
      .map(Number);
    sums.all += user + nice + system + idle + io + hard + soft + steal;
    sums.idle += idle + io;
    sums.idleElsewhere += Number(cpu) === without ? 0 : idle + io;
  }
  return sums;
}

test('idle processors count as unclaimed when tasks that may use them wait elsewhere', async () => {
  const [processor = 0] = allowedProcessors();
  await using one = spinOn(processor);
  await using _two = spinOn(processor);
  await using _three = spinOn(processor);
  // More often than usual, so that the second is enough.
  await using movable = startTool('cpuunclaimed', ['--json', '-F', '499', '3600']);
  await using bound = startTool('cpuunclaimed', ['--json', '-a', '-F', '499', '3600']);
  await Promise.all([movable.ready(), bound.ready()]);
  const before = ticks(processor);
  await ranLonger(one.pid, 4e8);
  const after = ticks(processor);
  const [any, all] = await Promise.all([movable.end(), bound.end()]);
  const total = after.all - before.all;
  const idle = (100 * (after.idle - before.idle)) / total;
  // At most two of the three wait; tools and test run, too, but at most a few others are idle.
  const elsewhere = (100 * (after.idleElsewhere - before.idleElsewhere)) / total;
  const [row, ...more] = tableRows(all.messages);
  assert.deepEqual(more, []);
  const close = (value: unknown, expected: number, what: string) =>
    assert.ok(Math.abs(Number(value) - expected) < 12, `${what}: ${value}, not about ${expected}`);
  close(row?.used, 100 - idle, 'used');
  if (allowedProcessors().length <= 3) {
    close(row?.idle, elsewhere, 'unclaimed');
  }
  // The spinners may not go anywhere else.
  const [free] = tableRows(any.messages);
  close(free?.idle, 0, 'unclaimed by tasks that are not bound');
});

test('one line for each interval', async () => {
  const { stdout, code } = await runTool('cpuunclaimed', ['0.1', '2']);
  assert.equal(code, 0);
  assert.match(stdout, /^( *%CPU UNCLAIMED\n *\d+\.\d\d +\d+\.\d\d\n\n?){2}$/);
});

test('each sample is a line of comma-separated values', async () => {
  const [processor = 0] = allowedProcessors();
  await using one = spinOn(processor);
  await using two = spinOn(processor);
  await Promise.all([one, two].map(({ pid }) => ranLonger(pid, 1e7)));
  await using samples = startTool('cpuunclaimed', ['-j', '-F', '499']);
  await samples.ready();
  await ranLonger(one.pid, 5e7);
  const { stdout, code } = await samples.end();
  assert.equal(code, 0);
  const [header = '', ...lines] = stdout.trimEnd().split('\n');
  const names = header.split(',');
  assert.deepEqual(names.slice(0, 2), ['time', 'cpu']);
  assert.ok(names.includes(`cpu${processor}`), header);
  const rows = lines.map((line) => Object.fromEntries(line.split(',').map((value, i) => [names[i], value])));
  for (const row of rows) {
    assert.match(row.time ?? '', /^\d{4}-\d\d-\d\dT/);
    assert.equal(Object.keys(row).length, names.length);
  }
  // Where one of them runs, the other one waits.
  const own = rows.filter(({ cpu }) => cpu === String(processor)).map((row) => Number(row[`cpu${processor}`]));
  assert.ok(own.length > 0 && own.every((tasks) => tasks >= 2), own.join());
});
