import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { pageBytes } from '../../lib/native/libc.ts';
import { Actor } from '../helpers/actor.ts';
import { deadline } from '../helpers/deadline.ts';
import { allowedProcessors } from '../helpers/processors.ts';
import { type JsonMessage, runTool } from '../helpers/run-tool.ts';
import { ranLonger, spinOn } from '../helpers/spinner.ts';
import { commOf } from '../helpers/task-fields.ts';

async function tables(args: readonly string[]): Promise<JsonMessage[][]> {
  const { code, messages, stderr } = await runTool('processes', ['--json', ...args]);
  assert.equal(code, 0, stderr);
  return messages.filter(({ type }) => type === 'table').map(({ rows }) => rows as JsonMessage[]);
}

/** Fields of /proc/PID/stat behind the name, by their numbers in proc(5). */
function statOf(pid: number): (field: number) => number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
    .replace(/^.*\) /s, '')
    .split(' ');
  return (field) => Number(fields[field - 3]);
}

test('a process has the numbers that /proc has', async () => {
  await using actor = await Actor.start({ threads: 3 });
  const { pid } = actor;
  // So that none of them changes.
  process.kill(pid, 'SIGSTOP');
  const stopped = async () => {
    while (!/^\d+ \(.*\) T/s.test(readFileSync(`/proc/${pid}/stat`, 'utf8'))) {
      await setImmediate();
    }
  };
  await deadline(stopped(), () => `${pid} does not stop`);
  const [[row, ...more] = []] = await tables(['-p', String(pid)]);
  const stat = statOf(pid);
  assert.deepEqual(more, []);
  assert.deepEqual(
    [row?.pid, row?.tid, row?.ppid, row?.uid, row?.state, row?.threads, row?.start_ticks, row?.virt],
    [pid, pid, process.pid, 0, 'STOP', stat(20), stat(22), stat(23)],
  );
  // Kernels may add to theirs what each processor has of each of three kinds of memory.
  const batch = 3 * cpus().length * Math.max(32, 2 * cpus().length);
  const pages = Number(row?.rss) / pageBytes();
  assert.ok(Math.abs(pages - stat(24)) <= batch, `${pages} and ${stat(24)} pages`);
  assert.equal(row?.comm, commOf(pid));
  // Two numbers of hundredths, each rounded down.
  const rest = Number(row?.cpu_time) / 1e7 - (stat(14) + stat(15));
  assert.ok(rest > -1 && rest < 3, `${row?.cpu_time} ns, ${rest} more`);
  const [threads = []] = await tables(['--per-thread', '-p', String(pid)]);
  assert.equal(threads.length, stat(20));
  assert.ok(actor.tids.every((tid) => threads.some((thread) => thread.tid === tid && thread.pid === pid)));
  const [one = []] = await tables(['-t', String(actor.tids[2])]);
  assert.deepEqual(
    one.map(({ tid }) => tid),
    [actor.tids[2]],
  );
});

test('in intervals the time is that of each, and a process without any stays', async () => {
  await using actor = await Actor.start();
  await using spinner = spinOn(allowedProcessors()[0] ?? 0);
  await ranLonger(spinner.pid, 5e7);
  const ran = () => Number(readFileSync(`/proc/${spinner.pid}/schedstat`, 'utf8').split(' ')[0]);
  const before = ran();
  const spun = await tables(['-p', String(spinner.pid), '0.1', '3']);
  const limit = ran() - before;
  assert.equal(spun.flat().length, 3);
  for (const { usage, cpu_time, period } of spun.flat()) {
    assert.ok(Math.abs(Number(usage) - (100 * Number(cpu_time)) / Number(period)) < 0.01);
  }
  const sum = spun.flat().reduce((total, { cpu_time }) => total + Number(cpu_time), 0);
  assert.ok(sum > 0 && sum <= limit, `${sum} of ${limit}`);
  const idle = await tables(['-p', String(actor.pid), '0.05', '3']);
  assert.deepEqual(
    idle.map((rows) => rows.map(({ pid }) => pid)),
    [[actor.pid], [actor.pid], [actor.pid]],
  );
});

test('threads of the kernel, order and number of rows', async () => {
  const [kernel = []] = await tables(['-k', '--comm', 'kthreadd']);
  assert.deepEqual(
    kernel.map(({ pid, ppid, state, rss, virt }) => [pid, ppid, state, rss, virt]),
    [[2, 0, 'SLEEP', undefined, undefined]],
  );
  assert.deepEqual(await tables(['--comm', 'kthreadd']), [[]]);
  const [largest = []] = await tables(['-s', 'rss', '-r', '3']);
  const sizes = largest.map(({ rss }) => Number(rss));
  assert.deepEqual(
    sizes,
    sizes.toSorted((a, b) => b - a),
  );
  assert.equal(sizes.length, 3);
  const [numbered = []] = await tables(['-s', 'pid']);
  const pids = numbered.map(({ pid }) => Number(pid));
  assert.ok(pids.includes(process.pid) && pids.every((pid, i) => i === 0 || pid > (pids[i - 1] ?? 0)));
});
