import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { test } from 'node:test';
import { syscallName } from '../../lib/model/syscalls.ts';
import { Actor } from '../helpers/actor.ts';
import { runTool, type ToolResult } from '../helpers/run-tool.ts';
import { TemporaryDirectory } from '../helpers/temporary-directory.ts';
import { tinyProgramIn } from '../helpers/tiny-program.ts';
import { watch } from '../helpers/watch.ts';

interface Row {
  readonly syscall?: string;
  readonly pid?: number;
  readonly comm?: string;
  readonly count: number;
  readonly total?: number;
}

function rowsOf({ messages }: ToolResult): Row[] {
  return messages.filter(({ type }) => type === 'table').flatMap(({ rows }) => rows as Row[]);
}

function countOf(result: ToolResult, name: string): number {
  return rowsOf(result).reduce((sum, { syscall, count }) => sum + (syscall === name ? count : 0), 0);
}

test('as many calls are counted as were made', async () => {
  await using actor = await Actor.start({ threads: 1 });
  const [main = 0, second = 0] = actor.tids;
  const own = ['--json', '-T', '500', '-t', String(main)];
  const pause = new Uint8Array(BigInt64Array.of(0n, 2_000_000n).buffer);
  const seen = await watch(
    'syscount',
    {
      all: own,
      failed: [...own, '-x'],
      error: [...own, '-e', 'ebadf'],
      other: [...own, '--errno', '2', '--syscall', 'close'],
      one: [...own, '--syscall', 'gettid'],
      intervals: [...own, '-i', '0.02'],
      timed: [...own, '-L', '--syscall', 'nanosleep'],
      processes: ['--json', '-P', '-p', String(actor.pid), '--syscall', 'gettid'],
      timedProcess: ['--json', '-PL', '-t', String(second)],
      thread: ['--json', '-t', String(second), '--syscall', 'gettid'],
    },
    async () => {
      await actor.perform(Array.from({ length: 1000 }, () => ({ name: 'gettid', args: [] })));
      await actor.perform(Array.from({ length: 70 }, () => ({ name: 'close', args: [-1] })));
      await actor.perform(Array.from({ length: 9 }, () => ({ name: 'nanosleep', args: [pause, 0] })));
      await actor.perform(
        Array.from({ length: 31 }, () => ({ name: 'gettid', args: [] })),
        1,
      );
    },
  );
  assert.equal(countOf(seen.all, 'gettid'), 1000);
  assert.equal(countOf(seen.intervals, 'gettid'), 1000);
  assert.ok(seen.intervals.messages.filter(({ type }) => type === 'table').length > 1);
  assert.equal(countOf(seen.all, 'nanosleep'), 9);
  assert.equal(countOf(seen.failed, 'close'), 70);
  assert.equal(countOf(seen.failed, 'gettid'), 0);
  assert.equal(countOf(seen.error, 'close'), 70);
  assert.deepEqual(rowsOf(seen.other), []);
  assert.deepEqual(rowsOf(seen.one), [{ syscall: 'gettid', count: 1000 }]);
  assert.deepEqual(rowsOf(seen.thread), [{ syscall: 'gettid', count: 31 }]);
  assert.deepEqual(
    rowsOf(seen.processes).map(({ pid, count, syscall, total }) => ({ pid, count, syscall, total })),
    [{ pid: actor.pid, count: 1031, syscall: undefined, total: undefined }],
  );
  const [timed, ...more] = rowsOf(seen.timed);
  assert.deepEqual(more, []);
  assert.equal(timed?.count, 9);
  assert.ok((timed?.total ?? 0) >= 9 * 2e6, String(timed?.total));
  assert.ok((rowsOf(seen.timedProcess)[0]?.count ?? 0) >= 31);
  const sums = rowsOf(seen.all).map(({ count }) => count);
  assert.deepEqual(
    sums,
    [...sums].sort((a, b) => b - a),
  );
});

test('what makes a process counts once, and what ends one counts', async () => {
  const shell = spawn('/bin/sh', [], { stdio: ['pipe', 'ignore', 'inherit'] });
  const ended = once(shell, 'exit');
  const seen = await watch(
    'syscount',
    {
      shell: ['--json', '-T', '500', '-p', String(shell.pid)],
      timed: ['--json', '-T', '500', '-L', '-p', String(shell.pid)],
      children: ['--json', '-T', '500', '-c', String(shell.pid)],
    },
    async () => {
      shell.stdin.end('for i in 1 2 3 4 5; do (exit 3); done; exit 0\n');
      await ended;
    },
  );
  const makers = ['clone', 'clone3', 'fork', 'vfork'];
  const made = (result: ToolResult) => makers.reduce((sum, name) => sum + countOf(result, name), 0);
  assert.equal(made(seen.shell), 5);
  assert.equal(made(seen.timed), 5);
  assert.equal(made(seen.children), 0);
  assert.equal(countOf(seen.shell, 'exit_group'), 1);
  assert.equal(countOf(seen.timed, 'exit_group'), 1);
  assert.equal(countOf(seen.children, 'exit_group'), 5);
});

test('calls of 32-bit programs have the names of their own numbers', async (t) => {
  using directory = new TemporaryDirectory();
  const file = tinyProgramIn(t, directory, 7);
  if (file === undefined) {
    return;
  }
  const { code, messages, stderr } = await runTool('syscount', ['--json', '--', file]);
  assert.equal(code, 0, stderr);
  const rows = messages.filter(({ type }) => type === 'table').flatMap(({ rows }) => rows as Row[]);
  const names = new Map(rows.map(({ syscall, count }) => [syscall, count]));
  assert.equal(names.get('getpid (32-bit)'), 7);
  assert.equal(names.get('exit (32-bit)'), 1);
  assert.equal(names.get('writev'), undefined);
});

test('intervals, and the names of all calls', async () => {
  const { code, messages } = await runTool('syscount', ['--json', '-i', '0.05', '-d', '0.3', '-T', '2']);
  assert.equal(code, 0);
  const tables = messages.filter(({ type }) => type === 'table');
  assert.ok(tables.length >= 3);
  assert.ok(tables.every(({ rows }) => (rows as Row[]).length <= 2));
  const listed = await runTool('syscount', ['-l']);
  assert.equal(listed.code, 0);
  assert.ok(listed.stdout.split('\n').includes('openat'));
  assert.equal(syscallName(437), 'openat2');
});
