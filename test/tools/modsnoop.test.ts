import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { runTool, startCommand } from '../helpers/run-tool.ts';
import { watch } from '../helpers/watch.ts';

test('a module is loaded and taken away, and a failure has its error', async (t) => {
  const { code, stderr } = await runTool('modsnoop', ['--duration', '0.1']);
  if (code === 3) {
    assert.match(stderr, /no tracepoint module:module_load/);
    t.skip('the kernel has no modules');
    return;
  }
  const loaded = readFileSync('/proc/modules', 'utf8');
  const name = ['dummy', 'ifb', 'ipvlan', 'tun', 'nbd'].find(
    (name) => !loaded.includes(`${name} `) && spawnSync('modprobe', ['-n', name]).status === 0,
  );
  if (name === undefined) {
    t.skip('there is no module to load');
    return;
  }
  const pids: number[] = [];
  const run = async (file: string, args: readonly string[]) => {
    await using command = startCommand([file, ...args]);
    pids.push(command.pid);
    return (await command.ended()).code;
  };
  const seen = await watch('modsnoop', { all: ['--json'], quiet: ['--json', '--no-requests'], text: [] }, async () => {
    assert.equal(await run('modprobe', [name]), 0);
    assert.equal(await run('rmmod', [name]), 0);
    assert.notEqual(await run('/bin/sh', ['-c', `exec rmmod -f ${name}`]), 0);
  });
  const mine = seen.all.rows.filter((row) => row.name === name && pids.includes(Number(row.pid)));
  assert.deepEqual(mine.map(({ action, pid, comm }) => [action, pid, comm]).slice(0, 2), [
    ['load', pids[0], 'modprobe'],
    ['unload', pids[1], 'rmmod'],
  ]);
  assert.ok(seen.quiet.rows.every(({ action }) => action !== 'request'));
  assert.match(seen.text.stdout, new RegExp(` load +- +${name}\n`));
});
