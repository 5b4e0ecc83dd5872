import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { everyCpu } from '../../lib/system/cpus.ts';
import { Actor } from '../helpers/actor.ts';
import { nodeOfCpu } from '../helpers/numa.ts';
import type { JsonMessage } from '../helpers/run-tool.ts';
import { watch } from '../helpers/watch.ts';

test('each move to another processor, and to another node where there are several', async (t) => {
  const [first, ...others] = everyCpu();
  const second = others.find((cpu) => nodeOfCpu(cpu) !== nodeOfCpu(first ?? 0)) ?? others[0];
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
  const moves = (rows: readonly JsonMessage[]) =>
    rows.map(({ pid, tid, src_nid, dst_nid }) => [pid, tid, src_nid, dst_nid]);
  const fiveTimes = (a: number, b: number) => {
    const own = [actor.pid, actor.pid];
    const both = [
      [...own, a, b],
      [...own, b, a],
    ];
    return Array.from({ length: 5 }, () => both).flat();
  };
  assert.deepEqual(moves(cpus.rows), fiveTimes(first, second));
  const [here, there] = [nodeOfCpu(first), nodeOfCpu(second)];
  assert.deepEqual(moves(nodes.rows), here === there ? [] : fiveTimes(here, there));
  assert.match(text.stdout, /^TIME +PID +TID SRC_NID DST_NID COMM\n/);
  assert.match(
    text.stdout,
    new RegExp(`\\n\\d\\d:\\d\\d:\\d\\d +${actor.pid} +${actor.pid} +${second} +${first} \\w+\\n`),
  );
});
