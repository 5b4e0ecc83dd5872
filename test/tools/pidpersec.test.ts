import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { test } from 'node:test';
import { Worker } from 'node:worker_threads';
import { runTool, type ToolResult } from '../helpers/run-tool.ts';
import { watch } from '../helpers/watch.ts';

function sum({ messages }: ToolResult): [number, number] {
  const rows = messages
    .filter(({ type }) => type === 'table')
    .flatMap((message) => message.rows as { readonly processes: number; readonly threads: number }[]);
  return [rows.reduce((all, row) => all + row.processes, 0), rows.reduce((all, row) => all + row.threads, 0)];
}

test('processes and threads are counted, each once', async () => {
  const shell = spawn('/bin/sh', [], { stdio: ['pipe', 'ignore', 'inherit'] });
  const ended = once(shell, 'exit');
  const { made, own, all } = await watch(
    'pidpersec',
    { made: ['--json', '-p', String(shell.pid)], own: ['--json', '-p', String(process.pid)], all: ['--json'] },
    async () => {
      shell.stdin.end('for i in 1 2 3 4 5 6 7; do (exit 0); done\n');
      await ended;
      for (let i = 0; i < 3; i++) {
        await once(new Worker('', { eval: true }), 'exit');
      }
    },
  );
  assert.deepEqual(sum(made), [7, 0]);
  const [processes, threads] = sum(own);
  assert.equal(processes, 0);
  assert.ok(threads >= 3, String(threads));
  assert.ok(sum(all)[0] >= 7 && sum(all)[1] >= threads);
});

test('an interval without any is a row as well', async () => {
  const { code, messages } = await runTool('pidpersec', ['--json', '-u', '54321', '0.05', '2']);
  assert.equal(code, 0);
  assert.deepEqual(
    messages.filter(({ type }) => type === 'table').map(({ rows }) => rows),
    [[{ processes: 0, threads: 0 }], [{ processes: 0, threads: 0 }]],
  );
});
