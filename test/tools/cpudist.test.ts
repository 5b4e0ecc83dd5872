import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
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

test('every slice of a thread is counted, those that end in a sleep as well', async () => {
  using group = new TestCgroup();
  using empty = new TestCgroup();
  await using actor = await Actor.start();
  await using other = await Actor.start();
  enterCgroup(group.path, actor.pid);
  const own = ['--json', '-t', String(actor.pid)];
  const comm = commOf(actor.pid);
  const { seen, slept } = await watchSleeps(
    'cpudist',
    {
      on: own,
      off: [...own, '-O'],
      milliseconds: [...own, '--offcpu', '-m'],
      threads: ['--json', '-L', '-p', String(actor.pid)],
      cgroup: ['--json', '-L', '-c', group.path],
      nobody: ['--json', '--cgroup', empty.path],
    },
    { actor, other, times: SLEEPS },
  );
  const { switches, left, came, ran, took } = slept;
  // Where the machine is slow a sleep may be over before the thread has left the processor.
  assert.ok(switches > SLEEPS / 2);
  assert.ok(left <= switches && came <= switches);
  const on = only(seen.on);
  assert.ok(on.count >= left && on.count <= switches, `${on.count} slices, ${left} traced, ${switches} switches`);
  // The kernel's own clock stops while the processor serves interrupts, and ours is read a little later.
  assert.ok(on.total * 1000 > ran * 0.5 && on.total * 1000 < ran * 2 + 1e6, `${on.total} us, not ${ran} ns`);
  // Nobody saw it leave before it first came back.
  const off = only(seen.off);
  assert.ok(off.count >= came - 1 && off.count < switches, `${off.count} times, ${came} traced, ${switches} switches`);
  assert.ok(off.total >= SLEEPS * 500, 'it slept longer');
  assert.ok(off.total <= took * 1000, 'it did not sleep that long');
  assert.deepEqual([only(seen.milliseconds).unit, only(seen.milliseconds).count], ['msecs', off.count]);
  for (const { messages } of [seen.threads, seen.cgroup]) {
    const rows = distributionsIn(messages);
    assert.ok(rows.every(({ pid }) => pid === actor.pid));
    assert.deepEqual(
      rows.filter(({ tid }) => tid === actor.pid).map((row) => [row.comm, row.count]),
      [[comm, on.count]],
    );
  }
  assert.deepEqual(distributionsIn(seen.nobody.messages), []);
});

test('the idle threads are shown when they are asked for', async () => {
  await using actor = await Actor.start();
  let rested = 0;
  const { usual, idle, away } = await watch(
    'cpudist',
    { usual: ['--json', '-P'], idle: ['--json', '-P', '-I'], away: ['--json', '-P', '-I', '-O'] },
    async () => {
      const before = idleTicks();
      await sleepTimes(actor, SLEEPS);
      rested = idleTicks() - before;
    },
  );
  const ofIdle = ({ messages }: ToolResult) => distributionsIn(messages).filter(({ pid }) => pid === 0);
  assert.notEqual(distributionsIn(usual.messages).length, 0);
  assert.deepEqual(ofIdle(usual), []);
  for (const result of [idle, away]) {
    const rows = ofIdle(result);
    assert.ok(rows.length <= 1);
    // Where others keep all processors busy there is nothing to see.
    assert.ok(rows.length === 1 || rested < 10, `${rested} ticks without an idle thread`);
    assert.ok(rows.every(({ comm }) => /^swapper/.test(String(comm))));
  }
});

/** Hundredths of a second in which processors had nothing to do, all added up. */
function idleTicks(): number {
  const [, , , , idle = '0', iowait = '0'] = readFileSync('/proc/stat', 'utf8').split(/\s+/);
  return Number(idle) + Number(iowait);
}

test('text has a section for each thread, with averages', async () => {
  await using actor = await Actor.start();
  const { text } = await watch('cpudist', { text: ['-L', '-e', '-t', String(actor.pid)] }, () => sleepTimes(actor, 20));
  assert.match(
    text.stdout,
    new RegExp(`^pid = ${actor.pid}\ntid = ${actor.pid}\ncomm = \\S+\n +usecs +: count +distribution\n`),
  );
  assert.match(text.stdout, /\navg = \d+ usecs, total: \d+ usecs, count: \d+, /);
});
