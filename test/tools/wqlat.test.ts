import assert from 'node:assert/strict';
import { test } from 'node:test';
import { distributionsIn } from '../helpers/distribution.ts';
import { startCommand, type ToolResult } from '../helpers/run-tool.ts';
import { watch } from '../helpers/watch.ts';
import { WorkTrace } from '../helpers/work-trace.ts';

const TERMINALS = 10;

/** Writes to terminals, which have what is written carried by work. */
async function useTerminals(): Promise<void> {
  for (let i = 0; i < TERMINALS; i++) {
    await using terminal = startCommand(['script', '-qec', 'echo text', '/dev/null'], {
      env: { ...process.env, SHELL: '/bin/sh' },
    });
    assert.equal((await terminal.ended()).code, 0);
  }
}

test('as much work is counted as the kernel reports', async () => {
  using trace = new WorkTrace();
  let ready = 0;
  let done = 0;
  const seen = await watch(
    'wqlat',
    {
      all: ['--json'],
      nanoseconds: ['--json', '-N'],
      queues: ['--json', '-W'],
      one: ['--json', '-w', 'events_unbound', '-W'],
      none: ['--json', '-w', 'no such queue'],
      text: ['-W', '-T'],
    },
    async () => {
      ready = trace.begun('script');
      await useTerminals();
      done = trace.begun('script');
    },
  );
  const after = trace.begun();
  assert.ok(done - ready >= TERMINALS / 2, `${done - ready} pieces of work`);
  const sum = ({ messages }: ToolResult) => distributionsIn(messages).reduce((all, { count }) => all + count, 0);
  for (const result of [seen.all, seen.nanoseconds, seen.queues]) {
    assert.ok(sum(result) >= done - ready && sum(result) <= after, `${sum(result)} of ${done - ready} to ${after}`);
  }
  assert.equal(distributionsIn(seen.all.messages)[0]?.unit, 'usecs');
  assert.equal(distributionsIn(seen.nanoseconds.messages)[0]?.unit, 'nsecs');
  const queues = distributionsIn(seen.queues.messages).map(({ wqname }) => wqname);
  assert.ok(queues.includes('events_unbound'), queues.join());
  assert.deepEqual(
    distributionsIn(seen.one.messages).map(({ wqname }) => wqname),
    ['events_unbound'],
  );
  assert.deepEqual(distributionsIn(seen.none.messages), []);
  assert.match(seen.text.stdout, /^\d\d:\d\d:\d\d\nwqname = /);
});
