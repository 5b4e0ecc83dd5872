import assert from 'node:assert/strict';
import { test } from 'node:test';
import { distributionsIn } from '../helpers/distribution.ts';
import { Reclaiming } from '../helpers/reclaim.ts';
import { startTool, type ToolResult } from '../helpers/run-tool.ts';
import { watch } from '../helpers/watch.ts';

// Alone: who else frees memory under the same name would be counted.

test('the times are those that the tasks were held up', async (t) => {
  using work = Reclaiming.prepare(t);
  if (work === undefined) {
    return;
  }
  await using events = startTool('drsnoop', ['--json', '-m', '--comm', 'dd']);
  await events.ready();
  let took = 0;
  const { plain, comms, stranger, text } = await watch(
    'shrinklat',
    {
      plain: ['--json', '--comm', 'dd'],
      comms: ['--json', '-P', '-m'],
      stranger: ['--json', '--comm', 'no such'],
      text: ['-P', '--comm', 'dd'],
    },
    async () => {
      const start = performance.now();
      await work.run();
      took = (performance.now() - start) * 1000;
    },
  );
  const { rows } = await events.end();
  const ofCgroup = ({ messages }: ToolResult) => distributionsIn(messages).filter(({ reason }) => reason === 'cgroup');
  const [own] = ofCgroup(plain);
  assert.equal(own?.count, rows.filter(({ memcg }) => memcg === true).length, 'as often as another tool says');
  assert.ok((own?.total ?? 0) > 0 && (own?.total ?? 0) < took);
  assert.ok(ofCgroup(comms).some(({ comm, count }) => comm === 'dd' && count === own?.count));
  assert.deepEqual(distributionsIn(stranger.messages), []);
  assert.match(text.stdout, /reason = cgroup\ncomm = dd\n +usecs +: count +distribution\n/);
});
