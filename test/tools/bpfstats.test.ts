import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Actor } from '../helpers/actor.ts';
import { type JsonMessage, runTool, startTool } from '../helpers/run-tool.ts';

const calls = 23;

function rowsOf(messages: readonly JsonMessage[]): JsonMessage[] {
  return messages.filter(({ type }) => type === 'table').flatMap(({ rows }) => rows as JsonMessage[]);
}

test('the runs of a program are counted, with who holds it and what its maps take', async () => {
  await using actor = await Actor.start();
  // Of all system calls one that hardly anybody makes.
  await using tool = startTool('setuids', ['--json', '-p', String(actor.pid)]);
  await tool.ready();
  await using stats = startTool('bpfstats', ['--json', '-p', String(tool.pid), '3600']);
  await stats.ready();
  for (let i = 0; i < calls; i++) {
    await actor.mustCall('setfsgid', 0);
  }
  await tool.until(({ rows }) => rows.length === calls);
  const { code, messages, stderr } = await stats.end();
  assert.equal(code, 0, stderr);
  const [row, ...others] = rowsOf(messages);
  assert.deepEqual(others, []);
  const {
    id,
    code: type,
    kind,
    run_time,
    total_time,
    average,
    cpu_share: share,
    map_bytes,
    map_count: maps,
    period,
    ...exact
  } = row ?? { type: '' };
  assert.deepEqual(exact, { name: 'setfsgid__tp', runs: calls, holders: `node(${tool.pid})` });
  assert.ok(Number(run_time) >= calls && Number(run_time) < Number(period));
  // It was loaded before anybody counted.
  assert.equal(total_time, run_time);
  assert.equal(average, Math.round(Number(run_time) / calls));
  assert.ok(Number(share) > 0 && Number(share) < 100);
  // Older kernels leave out what a ring buffer takes.
  assert.ok(Number(map_bytes) > 4096 && Number(maps) > 1);
  // On kernels where programs at system calls can be preempted it is a probe.
  assert.match(`${kind} ${type}`, /^(tracepoint 5|kprobe 2)$/);
});

test('programs that do not run are not shown, and rows are limited', async () => {
  // Nobody runs out of memory meanwhile.
  await using tool = startTool('oomkill', ['--json']);
  await tool.ready();
  const idle = await runTool('bpfstats', ['--json', '-p', String(tool.pid), '0.2', '1']);
  assert.deepEqual(rowsOf(idle.messages), []);
  await using busy = startTool('syscount', ['--json', '3600']);
  await busy.ready();
  const { stdout } = await runTool('bpfstats', ['-r', '1', '-s', 'runs', '0.2', '2']);
  const table = 'PROGID TYPE +NAME +RUNTIME RUNCOUNT +AVG +%CPU +TOTAL +MAPMEM MAPS HELD BY\\n *\\d+ .*\\n';
  assert.match(stdout, new RegExp(`^${table}\\n?${table}$`));
});
