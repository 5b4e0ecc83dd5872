import assert from 'node:assert/strict';
import { test } from 'node:test';
import { runTool } from '../helpers/run-tool.ts';

test('a command after -- is traced from its start to its end, and alone', async () => {
  const { code, rows, stderr } = await runTool('opensnoop', [
    '--json',
    '--',
    'cat',
    '/proc/self/stat',
    '/etc/hostname',
  ]);
  assert.equal(code, 0);
  const files = rows.map(({ path }) => path);
  assert.equal(files.filter((path) => path === '/etc/hostname').length, 1);
  assert.equal(files.filter((path) => path === '/proc/self/stat').length, 1);
  assert.equal(new Set(rows.map(({ pid }) => pid)).size, 1);
  // What the command prints is no data of the tool.
  assert.match(stderr, /^\d+ \(cat\) R/m);
});

test('--exec is the old spelling of --', async () => {
  const { code, rows } = await runTool('execsnoop', ['--json', '--exec', 'sh', '-c', 'exec true a "b c"']);
  assert.equal(code, 0);
  assert.deepEqual(
    rows.map(({ args }) => args),
    [
      ['sh', '-c', 'exec true a "b c"'],
      ['true', 'a', 'b c'],
    ],
  );
});

test('a command that does not exist ends the run', async () => {
  const { code, stderr } = await runTool('opensnoop', ['--json', '--', 'no-such-command-here']);
  assert.equal(code, 0);
  assert.match(stderr, /no-such-command-here/);
});
