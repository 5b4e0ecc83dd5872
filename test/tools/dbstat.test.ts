import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Postgres } from '../helpers/postgres.ts';
import { watch } from '../helpers/watch.ts';

test('queries of PostgreSQL are counted by how long they take', async (t) => {
  await using server = await Postgres.start(t);
  if (server === undefined) {
    return;
  }
  const own = ['postgres', '-p', String(server.pid)];
  const seen = await watch(
    'dbstat',
    { all: ['--json', '-u', ...own], slow: ['--json', '-m', '20', ...own], text: own },
    async () => {
      for (let i = 0; i < 5; i++) {
        await server.query('select 1');
      }
      await server.query('select pg_sleep(0.03)');
    },
  );
  const [all] = seen.all.messages.filter(({ type }) => type === 'histogram');
  // With each comes one by which it is known to be done.
  assert.deepEqual([all?.count, all?.unit], [12, 'usecs']);
  assert.ok(Number(all?.total) >= 30_000);
  const [slow] = seen.slow.messages.filter(({ type }) => type === 'histogram');
  assert.ok(Number(slow?.count) >= 1 && Number(slow?.total) >= 30);
  assert.match(seen.text.stdout, /^ +msecs +: count +distribution\n[\s\S]*, count: 12,/);
});
