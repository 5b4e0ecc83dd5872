import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CpuCgroup, type Throttling } from '../helpers/cpu-cgroup.ts';
import { startCommand, startTool } from '../helpers/run-tool.ts';
import { tableRows } from '../helpers/tables.ts';
import { until } from '../helpers/until.ts';

const quota = 5_000;
const period = 25_000;

test('throttled periods and their time are those of the kernel', async (t) => {
  using cgroup = CpuCgroup.limited(t, { quota, period });
  if (cgroup === undefined) {
    return;
  }
  await using spinner = startCommand(cgroup.command(['/bin/sh', '-c', 'while :; do :; done']));
  const name = cgroup.name.slice(1);
  const started = cgroup.throttling;
  await using tool = startTool('cputhrottle', ['--json', '-n', name, '3600']);
  await using text = startTool('cputhrottle', ['-n', name, '3600']);
  await using others = startTool('cputhrottle', ['--json', '-n', `${name}-not`, '3600']);
  await Promise.all([tool.ready(), text.ready(), others.ready()]);
  const ready = cgroup.throttling;
  await until(() => cgroup.throttling.throttled >= ready.throttled + 7);
  const done = cgroup.throttling;
  const [result, lines, nothing] = await Promise.all([tool.end(), text.end(), others.end()]);
  const ended = cgroup.throttling;
  await spinner[Symbol.asyncDispose]();

  assert.equal(result.code, 0, result.stderr);
  const [row, ...more] = tableRows(result.messages);
  assert.deepEqual(more, []);
  assert.ok(row !== undefined);
  assert.equal(row.path, cgroup.name);
  assert.deepEqual([row.quota, row.quota_period], [quota * 1000, period * 1000]);
  const amounts = { periods: row.periods, throttled: row.throttled, time: row.throttled_time };
  for (const [what, amount] of Object.entries(amounts)) {
    const gained = (from: Throttling, to: Throttling) => to[what as keyof Throttling] - from[what as keyof Throttling];
    // The tool reads its first numbers somewhere between start and ready, and the last ones before it has ended. The
    // file may have whole microseconds.
    const [least, most] = [gained(ready, done), gained(started, ended)];
    assert.ok(Number(amount) > least - 1000 && Number(amount) < most + 1000, `${what}: ${amount} in ${least}..${most}`);
  }
  assert.ok(Number(row.throttled) >= 7 && Number(row.periods) >= Number(row.throttled));
  assert.equal(row.share, (100 * Number(row.throttled)) / Number(row.periods));
  assert.deepEqual(tableRows(nothing.messages), []);
  const [header = '', line = ''] = lines.stdout.split('\n');
  assert.equal(header.split(/ +/).join(' ').trim(), 'PERIODS THROTTLED TIME %THROT LIMIT PSI10 PSI60 CGROUP');
  assert.match(line, new RegExp(`^ +\\d+ +\\d+ +\\S+ +\\d+\\.\\d\\d +0\\.20 .*${cgroup.name}$`));
});
