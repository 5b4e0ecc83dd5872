import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Actor } from '../helpers/actor.ts';
import { TestCgroup } from '../helpers/cgroup.ts';
import { allowedProcessors } from '../helpers/processors.ts';
import { spinOn } from '../helpers/spinner.ts';
import { commOf } from '../helpers/task-fields.ts';
import { watch } from '../helpers/watch.ts';
import { watchSleeps } from '../helpers/watched-sleeps.ts';

const SLEEPS = 100;

test('each wait is a row when the threshold is 0, and what was asked for is left', async () => {
  using empty = new TestCgroup();
  await using actor = await Actor.start();
  await using other = await Actor.start();
  const own = ['--json', '-t', String(actor.pid)];
  const comm = commOf(actor.pid);
  const { seen, slept } = await watchSleeps(
    'runqslower',
    {
      all: [...own, '0'],
      process: ['--json', '-p', String(actor.pid), '-c', comm, '0'],
      slow: [...own, '60000000'],
      stranger: [...own, '-u', '1', '0'],
      nobody: ['--json', '--cgroup', empty.path, '0'],
      text: ['-t', String(actor.pid), '0'],
      previous: ['-P', '-t', String(actor.pid), '0'],
    },
    { actor, other, times: SLEEPS },
  );
  const { switches, waited, doubtful } = slept;
  const { rows } = seen.all;
  const waits = rows.length;
  // Where the machine is slow a sleep may be over before the thread has left the processor.
  assert.ok(waits > SLEEPS / 2);
  assert.ok(waits <= switches && waits >= waited - doubtful, `${waits} of ${waited}, ${doubtful} in doubt`);
  for (const { pid, tid, uid, comm: name, latency, cpu, prev_tid } of rows) {
    assert.deepEqual([pid, tid, uid, name], [actor.pid, actor.pid, 0, comm]);
    assert.ok(Number(latency) >= 0 && Number(latency) < 60e9);
    assert.ok(Number(cpu) >= 0);
    assert.notEqual(prev_tid, actor.pid);
  }
  assert.equal(seen.process.rows.filter(({ tid }) => tid === actor.pid).length, waits);
  for (const { rows } of [seen.slow, seen.stranger, seen.nobody]) {
    assert.deepEqual(rows, []);
  }
  const line = (text: string) => new RegExp(`^TIME +COMM +TID +LAT\\(us\\)${text}\n`);
  assert.match(seen.text.stdout, line(''));
  assert.match(seen.previous.stdout, line(' PREV COMM +PREV TID'));
  assert.equal(seen.text.stdout.trimEnd().split('\n').length, 1 + waits);
});

test('two that share a processor wait for each other', async () => {
  const [processor = 0] = allowedProcessors();
  await using one = spinOn(processor);
  await using two = spinOn(processor);
  const { watched } = await watch('runqslower', { watched: ['--json', '-p', String(one.pid), '1000'] }, ({ watched }) =>
    watched.row(({ prev_tid }) => prev_tid === two.pid),
  );
  assert.ok(watched.rows.every(({ pid, latency }) => pid === one.pid && Number(latency) >= 1e6));
  const row = watched.rows.find(({ prev_tid }) => prev_tid === two.pid);
  assert.deepEqual([row?.cpu, row?.prev_pid, row?.prev_comm], [processor, two.pid, 'sh']);
});
