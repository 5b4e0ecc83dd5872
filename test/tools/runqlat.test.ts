import assert from 'node:assert/strict';
import { statSync } from 'node:fs';
import { test } from 'node:test';
import { Actor } from '../helpers/actor.ts';
import { enterCgroup, TestCgroup } from '../helpers/cgroup.ts';
import { distributionsIn, onlyDistribution } from '../helpers/distribution.ts';
import type { ToolResult } from '../helpers/run-tool.ts';
import { sleepTimes } from '../helpers/switches.ts';
import { commOf } from '../helpers/task-fields.ts';
import { watch } from '../helpers/watch.ts';
import { watchSleeps } from '../helpers/watched-sleeps.ts';

const SLEEPS = 200;

const only = ({ messages }: ToolResult) => onlyDistribution(messages);

test('a thread waits as often as it comes back to the processor', async () => {
  using group = new TestCgroup();
  using empty = new TestCgroup();
  await using actor = await Actor.start();
  await using other = await Actor.start();
  enterCgroup(group.below('inner'), actor.pid);
  const own = ['--json', '-t', String(actor.pid)];
  const comm = commOf(actor.pid);
  const { seen, slept } = await watchSleeps(
    'runqlat',
    {
      plain: own,
      milliseconds: [...own, '-m'],
      process: ['--json', '-P', '-p', String(actor.pid)],
      threads: ['--json', '-L', '-p', String(actor.pid)],
      namespaces: [...own, '--pidnss'],
      cgroup: ['--json', '-L', '-c', group.path],
      nobody: ['--json', '--cgroup', empty.path],
      named: ['--json', '-L', '--comm', comm, '-u', '0'],
      stranger: [...own, '-u', '1'],
    },
    { actor, other, times: SLEEPS },
  );
  const { switches, waited, doubtful } = slept;
  // Where the machine is slow a sleep may be over before the thread has left the processor.
  assert.ok(switches > SLEEPS / 2);
  const waits = only(seen.plain).count;
  assert.ok(waited <= switches);
  assert.ok(waits <= switches && waits >= waited - doubtful, `${waits} of ${waited}, ${doubtful} in doubt`);
  assert.equal(only(seen.plain).unit, 'usecs');
  const { unit, count, total } = only(seen.milliseconds);
  assert.deepEqual([unit, count], ['msecs', waits]);
  // Measured by two runs of the tool, at the same moments but for what the other one takes.
  assert.ok(total < only(seen.plain).total);

  const pidns = statSync(`/proc/${actor.pid}/ns/pid`).ino;
  assert.deepEqual([only(seen.namespaces).pidns, only(seen.namespaces).count], [pidns, waits]);
  const { pid, tid, comm: name } = only(seen.process);
  assert.deepEqual([pid, tid, name], [actor.pid, undefined, comm]);
  for (const { messages } of [seen.threads, seen.cgroup, seen.named]) {
    const threads = distributionsIn(messages).filter((one) => one.tid === actor.pid);
    assert.deepEqual(
      threads.map((one) => [one.pid, one.comm, one.count]),
      [[actor.pid, comm, waits]],
    );
  }
  assert.ok(only(seen.process).count >= waits);
  assert.ok(distributionsIn(seen.threads.messages).every((one) => one.pid === actor.pid));
  assert.ok(distributionsIn(seen.cgroup.messages).every((one) => one.pid === actor.pid));
  assert.deepEqual(distributionsIn(seen.nobody.messages), []);
  assert.deepEqual(distributionsIn(seen.stranger.messages), []);
});

test('the idle threads do not wait', async () => {
  await using actor = await Actor.start();
  const { all } = await watch('runqlat', { all: ['--json', '-L'] }, () => sleepTimes(actor, SLEEPS));
  const rows = distributionsIn(all.messages);
  assert.ok(rows.length > 0);
  assert.ok(rows.every(({ tid, pid, comm }) => Number(tid) > 0 && Number(pid) > 0 && comm !== ''));
});

test('text has a section for each process', async () => {
  await using actor = await Actor.start();
  const { all, one } = await watch('runqlat', { all: ['-T'], one: ['-P', '-e', '-p', String(actor.pid)] }, () =>
    sleepTimes(actor, 20),
  );
  assert.match(all.stdout, /^\d\d:\d\d:\d\d\n +usecs +: count +distribution\n/);
  assert.match(one.stdout, new RegExp(`^pid = ${actor.pid}\ncomm = \\S+\n +usecs +: count +distribution\n`));
  assert.match(one.stdout, /\navg = \d+ usecs, total: \d+ usecs, count: \d+, /);
});
