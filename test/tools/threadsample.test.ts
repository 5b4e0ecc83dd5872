import assert from 'node:assert/strict';
import { readFileSync, readlinkSync } from 'node:fs';
import { test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { Actor } from '../helpers/actor.ts';
import { deadline } from '../helpers/deadline.ts';
import { allowedProcessors } from '../helpers/processors.ts';
import { type JsonMessage, runTool, type ToolResult } from '../helpers/run-tool.ts';
import { ranLonger, spinOn } from '../helpers/spinner.ts';

function rowsOf({ messages }: ToolResult): JsonMessage[] {
  return messages.filter(({ type }) => type === 'table').flatMap(({ rows }) => rows as JsonMessage[]);
}

/** Waits until a thread has come to rest in a system call. */
async function inCall(pid: number, tid: number, call: number): Promise<void> {
  const look = async () => {
    while (!readFileSync(`/proc/${pid}/task/${tid}/syscall`, 'utf8').startsWith(`${call} `)) {
      await setImmediate();
    }
  };
  await deadline(look(), () => `thread ${tid} is not in system call ${call}`);
}

test('a thread that waits has its system call and the function that waits', async () => {
  await using actor = await Actor.start({ threads: 2 });
  const [main = 0, sleeper = 0, reader = 0] = actor.tids;
  const [nanosleep, read] = process.arch === 'arm64' ? [101, 63] : [35, 0];
  actor.tell(1, 'nanosleep', new Uint8Array(BigInt64Array.of(1000n, 0n).buffer), 0);
  actor.tell(2, 'read', 0, new Uint8Array(8), 8);
  await Promise.all([inCall(main, sleeper, nanosleep as number), inCall(main, reader, read as number)]);
  const own = ['--json', '-p', String(main)];
  const all = await runTool('threadsample', [...own, '-a']);
  assert.equal(all.code, 0, all.stderr);
  const rows = new Map(rowsOf(all).map((row) => [row.tid, row]));
  const comm = readFileSync(`/proc/${main}/task/${sleeper}/comm`, 'utf8').trim();
  const asleep = rows.get(sleeper);
  assert.deepEqual(
    [asleep?.pid, asleep?.uid, asleep?.comm, asleep?.state, asleep?.syscall],
    [main, 0, comm, 'SLEEP', 'nanosleep'],
  );
  assert.match(String(asleep?.function), /nanosleep/);
  assert.match(String(asleep?.trace), /^\S*schedule.* < .*nanosleep|^\S*nanosleep/);
  assert.deepEqual([rows.get(reader)?.state, rows.get(reader)?.syscall], ['SLEEP', 'read']);
  assert.match(String(rows.get(reader)?.function), /read|wait|recv/);
  const wide = new Map(rowsOf(await runTool('threadsample', [...own, '-a', '-w'])).map((row) => [row.tid, row]));
  assert.deepEqual([wide.get(sleeper)?.exe, wide.get(sleeper)?.file], [readlinkSync(`/proc/${main}/exe`), undefined]);
  // Standard input of an actor, which has no path.
  const [kind] = readlinkSync(`/proc/${main}/fd/0`).split(':');
  assert.match(String(wide.get(reader)?.file), kind === 'pipe' ? /^pipefs$/ : /^(UNIX|UNIX-STREAM|sockfs)$/);
  assert.match(String(wide.get(reader)?.cgroup), /^\d+$/);
  // Those that sleep are not active.
  const active = rowsOf(await runTool('threadsample', own)).map(({ tid }) => tid);
  assert.ok(!active.includes(sleeper) && !active.includes(reader));
  const text = await runTool('threadsample', ['-a', '-U', '-p', String(main)]);
  assert.match(text.stdout, /^ *TID +PID +UID COMM +STATE +SYSCALL +FUNCTION\n/);
  assert.match(text.stdout, new RegExp(`^ *${sleeper} +${main} +0 .* SLEEP +nanosleep +\\S*nanosleep`, 'm'));
});

test('threads that run, and those of the kernel', async () => {
  await using spinner = spinOn(allowedProcessors()[0] ?? 0);
  await ranLonger(spinner.pid, 1e6);
  const samples = await runTool('threadsample', ['--json', '-p', String(spinner.pid), '0.02', '5']);
  const tables = samples.messages.filter(({ type }) => type === 'table');
  assert.equal(tables.length, 5);
  assert.ok(rowsOf(samples).every(({ state, comm }) => /^RUNQ?$/.test(String(state)) && comm === 'sh'));
  assert.equal(rowsOf(samples).length, 5);
  const often = await runTool('threadsample', ['--json', '-p', String(spinner.pid), '-F', '50', '-i', '5']);
  assert.equal(rowsOf(often).length, 5);
  const kernel = rowsOf(await runTool('threadsample', ['--json', '-a', '-k', '--comm', 'kthreadd']));
  assert.deepEqual(
    kernel.map(({ tid, syscall, comm }) => [tid, syscall, comm]),
    [[2, undefined, 'kthreadd']],
  );
});
