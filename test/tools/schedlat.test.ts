import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { constants, setPriority } from 'node:os';
import { test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { Actor } from '../helpers/actor.ts';
import { deadline } from '../helpers/deadline.ts';
import { allowedProcessors } from '../helpers/processors.ts';
import { runTool, startTool } from '../helpers/run-tool.ts';
import { ranLonger, spinOn } from '../helpers/spinner.ts';
import { tableRows } from '../helpers/tables.ts';

/** What the scheduler says of a thread: nanoseconds run, and waited. */
function times(pid: number): readonly [number, number] {
  const [cpu = 0, wait = 0] = readFileSync(`/proc/${pid}/schedstat`, 'utf8').split(' ').map(Number);
  return [cpu, wait];
}

async function stopped(pid: number): Promise<void> {
  process.kill(pid, 'SIGSTOP');
  const reached = async () => {
    while (!/^\d+ \(.*\) T/s.test(readFileSync(`/proc/${pid}/stat`, 'utf8'))) {
      await setImmediate();
    }
  };
  await deadline(reached(), () => `${pid} does not stop`);
}

test('the times of a thread are the differences of what /proc has', async () => {
  const processor = allowedProcessors()[0] ?? 0;
  await using spinner = spinOn(processor);
  await using rival = spinOn(processor);
  const { pid } = spinner;
  await ranLonger(pid, 1e7);
  await stopped(pid);
  const before = times(pid);
  await using tool = startTool('schedlat', ['--json', '-a', '-p', String(pid), '0.05']);
  await tool.ready();
  process.kill(pid, 'SIGCONT');
  await ranLonger(pid, 5e7);
  await stopped(pid);
  const after = times(pid);
  const sum = (field: string) => tableRows(tool.messages).reduce((total, row) => total + Number(row[field]), 0);
  const there = () => tableRows(tool.messages).at(-1);
  await tool.until(() => sum('cpu_time') >= after[0] - before[0] && there()?.cpu_time === 0, 'all of the time');
  const { code } = await tool.end();
  assert.equal(code, 0);
  assert.deepEqual([sum('cpu_time'), sum('wait_time')], [after[0] - before[0], after[1] - before[1]]);
  assert.ok(sum('wait_time') > 0, `${rival.pid} runs there as well`);
  for (const row of tableRows(tool.messages)) {
    assert.deepEqual([row.pid, row.tid, row.comm], [pid, pid, 'sh']);
    const [cpu, wait, sleep] = [row.cpu_share, row.wait_share, row.sleep_share].map(Number);
    const part = (name: string) => Math.min(100, (100 * Number(row[name])) / Number(row.elapsed));
    assert.ok(Math.abs(Number(cpu) - part('cpu_time')) < 0.01);
    assert.ok(Math.abs(Number(wait) - part('wait_time')) < 0.01);
    assert.ok(Number(sleep) >= 0 && Math.abs(Number(sleep) - Math.max(0, 100 - Number(cpu) - Number(wait))) < 0.02);
  }
  assert.equal(there()?.sleep_share, 100);
});

test('a wait that goes on is one', async () => {
  const processor = allowedProcessors()[0] ?? 0;
  await using rival = spinOn(processor);
  await using spinner = spinOn(processor);
  await Promise.all([rival, spinner].map(({ pid }) => ranLonger(pid, 1e6)));
  setPriority(spinner.pid, constants.priority.PRIORITY_LOW);
  await using tool = startTool('schedlat', ['--json', '-p', String(spinner.pid), '0.05']);
  // The scheduler itself would tell of the wait where it ends, with the first time of running.
  const waits = () =>
    tableRows(tool.messages).some(
      (row) => row.state === 'RUNQ' && row.cpu_time === 0 && Number(row.wait_time) > Number(row.elapsed) / 2,
    );
  await tool.until(waits, 'an interval in which it only waits');
  await tool.end();
});

test('threads are told apart, and those that sleep are left out', async () => {
  await using actor = await Actor.start({ threads: 2 });
  const [all, busy, one] = await Promise.all([
    runTool('schedlat', ['--json', '-a', '-p', String(actor.pid), '0.05', '1']),
    runTool('schedlat', ['--json', '-p', String(actor.pid), '0.05', '1']),
    runTool('schedlat', ['--json', '-a', '-s', 'tid', '-r', '1', '-p', String(actor.pid), '0.05', '1']),
  ]);
  const tids = tableRows(all.messages).map(({ tid }) => Number(tid));
  assert.ok(actor.tids.every((tid) => tids.includes(tid)));
  assert.ok(tableRows(busy.messages).every((row) => Number(row.cpu_time) > 0 || Number(row.wait_time) > 0));
  assert.deepEqual(
    tableRows(one.messages).map(({ tid }) => tid),
    [actor.pid],
  );
});
