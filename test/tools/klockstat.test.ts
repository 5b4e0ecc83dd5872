import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Actor } from '../helpers/actor.ts';
import { KernelTrace } from '../helpers/kernel-trace.ts';
import { type JsonMessage, runTool, type ToolResult } from '../helpers/run-tool.ts';
import { TemporaryDirectory } from '../helpers/temporary-directory.ts';
import { watch } from '../helpers/watch.ts';

const AT_FDCWD = -100;
const O_CREAT_EXCL = 0o300;
const ROUNDS = 300;

function rowsOf({ messages }: ToolResult): JsonMessage[] {
  return messages.filter(({ type }) => type === 'table').flatMap(({ rows }) => rows as JsonMessage[]);
}

/** Makes and removes a file again and again, which locks the directory each time. */
function changeDirectory(actor: Actor, path: string): Promise<unknown> {
  return actor.perform(
    Array.from({ length: ROUNDS }, () => [
      { name: 'openat', args: [AT_FDCWD, path, O_CREAT_EXCL, 0o600] } as const,
      { name: 'unlinkat', args: [AT_FDCWD, path, 0] } as const,
    ]).flat(),
  );
}

/** How many waits of a thread the kernel has seen the end of. */
function waitsIn(trace: KernelTrace): number {
  const waiting = new Set<string>();
  let ended = 0;
  for (const line of trace.lines()) {
    const [, event, lock = ''] = /: contention_(begin|end): (\w+) /.exec(line) ?? [];
    if (event === 'begin') {
      waiting.add(lock);
    } else if (event === 'end' && waiting.delete(lock)) {
      ended++;
    }
  }
  return ended;
}

test('as many waits are counted as the kernel reports', async (t) => {
  const { code, stderr } = await runTool('klockstat', ['--duration', '0.1']);
  if (code === 3) {
    assert.match(stderr, /no tracepoint (\S+:)?contention_begin/);
    t.skip(stderr);
    return;
  }
  using place = new TemporaryDirectory();
  await using one = await Actor.start();
  await using two = await Actor.start();
  using trace = new KernelTrace({
    'lock/contention_begin': `common_pid == ${one.pid}`,
    'lock/contention_end': `common_pid == ${one.pid}`,
  });
  const own = ['--json', '-t', String(one.pid)];
  let ready = 0;
  let done = 0;
  const seen = await watch(
    'klockstat',
    {
      all: own,
      threads: [...own, '-P', '--per-lock', '-s', 'acq_max'],
      none: [...own, '-c', 'no_such_function'],
      text: ['-t', String(one.pid)],
    },
    async () => {
      ready = waitsIn(trace);
      for (let i = 0; i < 20 && done - ready < 10; i++) {
        await Promise.all([changeDirectory(one, `${place.path}/one`), changeDirectory(two, `${place.path}/two`)]);
        done = waitsIn(trace);
      }
    },
  );
  const after = waitsIn(trace);
  assert.ok(done > ready, 'no two wanted one lock');
  const sum = (result: ToolResult) => rowsOf(result).reduce((all, { count }) => all + Number(count), 0);
  for (const result of [seen.all, seen.threads]) {
    assert.ok(sum(result) >= done - ready && sum(result) <= after, `${sum(result)} of ${done - ready} to ${after}`);
  }
  for (const { caller, kind, count, total, max, average, tid, lock } of rowsOf(seen.all)) {
    assert.match(String(caller), /^[a-z_]/i);
    assert.doesNotMatch(String(caller), /slowpath|^__mutex_lock|^bpf_|^__traceiter/);
    assert.match(String(kind), /^(mutex|spinlock|semaphore|rt-mutex|(rwsem|rwlock|pcpu-sem|rwlock-rt)(:[RW])?)$/);
    assert.ok(Number(total) >= Number(max) && Number(max) * Number(count) >= Number(total));
    assert.equal(average, Math.round(Number(total) / Number(count)));
    assert.deepEqual([tid, lock], [undefined, undefined]);
  }
  assert.ok(rowsOf(seen.threads).every(({ tid, lock }) => tid === one.pid && /^0x[0-9a-f]+$/.test(String(lock))));
  const longest = rowsOf(seen.threads).map(({ max }) => Number(max));
  assert.deepEqual(
    longest,
    [...longest].sort((a, b) => b - a),
  );
  assert.deepEqual(rowsOf(seen.none), []);
  assert.match(seen.text.stdout, /^CALLER +TYPE +AVG WAIT +COUNT +MAX WAIT +TOTAL WAIT\n\S/);
});

test('options of other tools of that name are understood', async () => {
  const { code, stderr, messages } = await runTool('klockstat', [
    ...['--json', '-i', '0.1', '-d', '0.35', '-n', '1', '-R', '-s', 'acq_total'],
  ]);
  assert.equal(code, 0, stderr);
  const tables = messages.filter(({ type }) => type === 'table');
  assert.ok(tables.length >= 2, `${tables.length} tables`);
  assert.ok(tables.every(({ rows }) => (rows as unknown[]).length <= 1));
});
