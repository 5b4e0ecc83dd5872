import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Reclaiming } from '../helpers/reclaim.ts';
import { watch } from '../helpers/watch.ts';

test('each time that a task reclaims memory has a line, with what it won', async (t) => {
  using work = Reclaiming.prepare(t);
  if (work === undefined) {
    return;
  }
  let pid = 0;
  let took = 0;
  const seen = await watch(
    'drsnoop',
    {
      all: ['--json', '-m', '-n', 'd', '-e'],
      stranger: ['--json', '-m', '--comm', 'no such'],
      direct: ['--json', '--comm', 'dd'],
      text: ['-m', '-U', '-e', '--comm', 'dd'],
    },
    async () => {
      const start = performance.now();
      pid = await work.run();
      took = (performance.now() - start) * 1e6;
    },
  );
  const own = seen.all.rows.filter((row) => row.pid === pid);
  const sum = (name: string) => own.reduce((all, row) => all + Number(row[name]), 0);
  assert.ok(own.length > 0);
  assert.ok(sum('pages') >= 0.9 * work.leastPages, `${sum('pages')} of ${work.leastPages} pages`);
  assert.ok(sum('latency') > 0 && sum('latency') < took);
  for (const row of own) {
    assert.deepEqual([row.comm, row.tid, row.uid, row.memcg], ['dd', pid, 0, true]);
    assert.ok(Number(row.latency) > 0 && Number(row.free_bytes) > 0);
  }
  assert.deepEqual(seen.stranger.rows, []);
  assert.deepEqual(
    seen.direct.rows.filter((row) => row.pid === pid && row.memcg === true),
    [],
  );
  const lines = seen.text.stdout.trimEnd().split('\n');
  assert.match(lines[0] ?? '', /^TIME +UID COMM +PID +LAT\(ms\) +PAGES +FREE\(KB\)$/);
  assert.ok(
    lines.some((line) => new RegExp(`^\\d\\d:\\d\\d:\\d\\d +0 dd +${pid} +\\d+\\.\\d\\d +\\d+ +\\d+$`).test(line)),
  );
});
