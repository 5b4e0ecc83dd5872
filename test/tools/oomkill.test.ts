import assert from 'node:assert/strict';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { MemoryCgroup } from '../helpers/memory-cgroup.ts';
import { startCommand } from '../helpers/run-tool.ts';
import { until } from '../helpers/until.ts';
import { watch } from '../helpers/watch.ts';

const LIMIT = 32 * 2 ** 20;

test('a process that exceeds the limit of its cgroup is killed', async (t) => {
  using group = MemoryCgroup.limited(t, LIMIT);
  if (group === undefined) {
    return;
  }
  let pid = 0;
  const { json, text } = await watch(
    'oomkill',
    { json: ['--json'], text: ['-m'] },
    async ({ json: tool, text: other }) => {
      // It waits for the end of a line.
      await using greedy = startCommand(group.command(['tail', '/dev/zero']));
      pid = greedy.pid;
      const { signal } = await greedy.ended();
      assert.equal(signal, 'SIGKILL');
      await tool.row((row) => row.tpid === pid);
      await other.until(({ stdout }) => stdout.includes(String(pid)));
    },
  );
  const [row, ...more] = json.rows.filter(({ tpid }) => tpid === pid);
  assert.deepEqual(more, []);
  assert.deepEqual([row?.pid, row?.comm], [pid, 'tail']);
  assert.match(String(row?.loadavg), /^\d+\.\d\d \d+\.\d\d \d+\.\d\d \d+\/\d+ \d+$/);
  if (json.messages.some(({ hooks }) => JSON.stringify(hooks ?? '').includes('oom_kill_process'))) {
    assert.deepEqual([row?.tcomm, row?.memcg], ['tail', true]);
    assert.equal(Number(row?.pages), LIMIT / 4096);
  }
  if (row?.total_vm !== undefined) {
    assert.equal(row.tcomm, 'tail');
    assert.ok(Number(row.anon_rss) > LIMIT / 2 && Number(row.anon_rss) <= LIMIT);
  }
  assert.match(text.stdout, /^TIME +PID COMM +TPID TCOMM +PAGES +ANON +FILE +SHMEM +TABLES LOADAVG\n/);
  assert.match(text.stdout, new RegExp(`\\n\\d\\d:\\d\\d:\\d\\d +${pid} tail +${pid} `));
});

test('a cgroup that is killed as a whole is a row for each process, with one reason', async (t) => {
  using group = MemoryCgroup.limited(t, LIMIT);
  const whole = join(group?.path ?? '', 'memory.oom.group');
  if (group === undefined) {
    return;
  }
  if (!existsSync(whole)) {
    t.skip('the memory controller of this hierarchy kills no whole cgroups');
    return;
  }
  writeFileSync(whole, '1');
  const pids: number[] = [];
  const { json } = await watch('oomkill', { json: ['--json'] }, async ({ json: tool }) => {
    await using idle = startCommand(group.command(['sleep', '1000']));
    await until(() => readFileSync(join(group.path, 'cgroup.procs'), 'utf8').includes(`${idle.pid}\n`));
    await using greedy = startCommand(group.command(['tail', '/dev/zero']));
    pids.push(greedy.pid, idle.pid);
    const ends = await Promise.all([greedy.ended(), idle.ended()]);
    assert.deepEqual(
      ends.map(({ signal }) => signal),
      ['SIGKILL', 'SIGKILL'],
    );
    await tool.row((row) => row.tpid === idle.pid);
  });
  const rows = json.rows.filter(({ pid }) => pid === pids[0]);
  // The one that was chosen may be killed as a member, too.
  assert.deepEqual(new Set(rows.map(({ tpid }) => tpid)), new Set(pids));
  if (json.messages.some(({ hooks }) => JSON.stringify(hooks ?? '').includes('oom_kill_process'))) {
    assert.ok(rows.every(({ pages, memcg }) => pages === LIMIT / 4096 && memcg === true));
  }
});
