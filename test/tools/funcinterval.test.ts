import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Actor } from '../helpers/actor.ts';
import { countsBy, distributionsIn } from '../helpers/distribution.ts';
import { ProbedLibrary } from '../helpers/probed-library.ts';
import type { ToolResult } from '../helpers/run-tool.ts';
import { tellsPlacesApart } from '../helpers/several-places.ts';
import { watch } from '../helpers/watch.ts';

const PR_SET_NAME = 15;

const distributions = ({ messages }: ToolResult) => distributionsIn(messages);
const counts = ({ messages }: ToolResult) => countsBy('func', messages);

test('there is an interval from each call to the next', async () => {
  using library = new ProbedLibrary();
  const { path } = library;
  const own = ['--json', '-p', String(process.pid)];
  const together = [...own, '-m', `${path}:a*`];
  const several = await tellsPlacesApart('funcinterval', ...together);
  const start = process.hrtime.bigint();
  const seen = await watch(
    'funcinterval',
    {
      one: [...own, `${path}:add`],
      ...(several && { together, apart: [...own, '-F', `${path}:a*`] }),
      probe: [...own, '-u', `u:${path}:add`],
      other: ['--json', '-p', '1', `${path}:add`],
      text: ['-p', String(process.pid), `${path}:answer`],
    },
    () => {
      for (let i = 0; i < 20; i++) {
        library.add(1, 2);
        library.answer();
      }
      library.answer();
    },
  );
  const elapsed = Number(process.hrtime.bigint() - start);
  const [one] = distributions(seen.one);
  assert.equal(one?.count, 19);
  assert.ok(one.unit === 'nsecs' && one.total > 0 && one.total < elapsed, `${one.total} of ${elapsed} ns`);
  if (seen.together !== undefined && seen.apart !== undefined) {
    const [of] = distributions(seen.together);
    assert.deepEqual([of?.count, of?.unit], [40, 'msecs']);
    assert.deepEqual(counts(seen.apart), { add: 19, answer: 20 });
  }
  const [probe] = distributions(seen.probe);
  assert.deepEqual([probe?.count, probe?.unit], [19, 'usecs']);
  assert.deepEqual(distributions(seen.other), []);
  assert.match(
    seen.text.stdout,
    /^ +nsecs +: count +distribution\n[\s\S]*\navg = \d+ nsecs, total: \d+ nsecs, count: 20,/,
  );
});

test('intervals can be those of a thread or process', async () => {
  await using actor = await Actor.start({ threads: 1 });
  await using another = await Actor.start();
  const event = 't:syscalls:sys_enter_prctl';
  const name = 'intervals-test';
  const seen = await watch(
    'funcinterval',
    {
      all: ['--json', '--comm', name, event],
      processes: ['--json', '--comm', name, '-P', event],
      threads: ['--json', '--comm', name, '-L', event],
      cpus: ['--json', '-C', '-L', '-p', String(another.pid), event],
    },
    async () => {
      // With the first one each thread takes the name by which it is known from then on.
      for (let i = 0; i < 6; i++) {
        await actor.ask(0, 'prctl', PR_SET_NAME, name);
        await actor.ask(1, 'prctl', PR_SET_NAME, name);
        await another.call('prctl', PR_SET_NAME, name);
      }
    },
  );
  assert.deepEqual(counts(seen.all), { '': 14 });
  assert.deepEqual(counts(seen.processes), { '': 9 + 4 });
  assert.deepEqual(counts(seen.threads), { '': 3 * 4 });
  const cpus = counts(seen.cpus)[''] ?? 0;
  assert.ok(cpus <= 5, `${cpus} intervals on one processor each`);
});
