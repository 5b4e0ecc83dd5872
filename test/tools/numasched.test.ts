import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { everyCpu } from '../../lib/system/cpus.ts';
import { Actor } from '../helpers/actor.ts';
import { watch } from '../helpers/watch.ts';

test('each move to another processor', async (t) => {
  const [first, second] = everyCpu();
  if (first === undefined || second === undefined) {
    t.skip('there is only one processor');
    return;
  }
  await using actor = await Actor.start();
  const pin = (cpu: number) => {
    const { status, stderr } = spawnSync('taskset', ['-p', '-c', String(cpu), String(actor.pid)], { encoding: 'utf8' });
    assert.equal(status, 0, stderr);
  };
  pin(first);
  await actor.call('gettid');
  const own = ['-t', String(actor.pid)];
  const { cpus, nodes, text } = await watch(
    'numasched',
    { cpus: ['--json', '--cpus', ...own], nodes: ['--json', ...own], text: ['--cpus', ...own] },
    async () => {
      for (let i = 0; i < 5; i++) {
        for (const cpu of [second, first]) {
          pin(cpu);
          await actor.call('gettid');
        }
      }
    },
  );
  const moves = cpus.rows.map(({ pid, tid, src_nid, dst_nid }) => [pid, tid, src_nid, dst_nid]);
  const there = [actor.pid, actor.pid, first, second];
  const back = [actor.pid, actor.pid, second, first];
  assert.deepEqual(moves, Array.from({ length: 5 }, () => [there, back]).flat());
  assert.ok(nodes.rows.every(({ src_nid, dst_nid }) => src_nid !== dst_nid));
  assert.match(text.stdout, /^TIME +PID +TID SRC_NID DST_NID COMM\n/);
  assert.match(
    text.stdout,
    new RegExp(`\\n\\d\\d:\\d\\d:\\d\\d +${actor.pid} +${actor.pid} +${second} +${first} \\w+\\n`),
  );
});
