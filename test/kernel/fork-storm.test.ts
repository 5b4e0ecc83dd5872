import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { test } from 'node:test';
import { inVirtualMachine } from '../helpers/deadline.ts';
import { startTool } from '../helpers/run-tool.ts';

// Alone: takes all processors, for thousands of processes.

/** Processes in all: KSCOPE_STORM=10000 for a heavy one. */
const storm = Number(process.env.KSCOPE_STORM ?? (inVirtualMachine ? 200 : 1000));
const shells = 4;

test(`${storm} short processes from ${shells} shells: each is one exec and one exit`, async () => {
  await using execs = startTool('execsnoop', ['--json', '-n', '^true$']);
  await using exits = startTool('exitsnoop', ['--json']);
  await Promise.all([execs.ready(), exits.ready()]);
  const each = Math.floor(storm / shells);
  // Every one has its number for an argument and its remainder for a status.
  const script = 'i=0; while [ $i -lt "$1" ]; do /bin/true $i; (exit $((i % 7))); i=$((i + 1)); done';
  const parents = Array.from({ length: shells }, () =>
    spawn('/bin/sh', ['-c', script, 'sh', String(each)], { stdio: 'ignore' }),
  );
  await Promise.all(parents.map((parent) => once(parent, 'exit')));
  const [started, ended] = await Promise.all([execs.end(), exits.end()]);
  assert.doesNotMatch(started.stderr, /lost \d+ events/);
  assert.doesNotMatch(ended.stderr, /lost \d+ events/);
  const numbers = Array.from({ length: each }, (_, i) => i);
  for (const { pid } of parents) {
    const rows = started.rows.filter(({ ppid }) => ppid === pid);
    assert.deepEqual(
      rows.map(({ args }) => args),
      numbers.map((i) => ['/bin/true', String(i)]),
    );
    const gone = ended.rows.filter(({ ppid }) => ppid === pid);
    assert.equal(gone.length, 2 * each);
    const execPids = new Set(rows.map((row) => row.pid));
    assert.equal(execPids.size, each, 'a number of a process was used again');
    assert.deepEqual(
      gone.filter((row) => !execPids.has(row.pid)).map(({ exit_code }) => exit_code),
      numbers.map((i) => i % 7),
    );
    assert.equal(gone.filter((row) => execPids.has(row.pid) && row.comm === 'true').length, each);
  }
});
