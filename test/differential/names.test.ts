import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { startPeer } from '../helpers/peer.ts';
import { startTool } from '../helpers/run-tool.ts';

test('names that are looked up: what gethostlatency of libbpf-tools sees', async (t) => {
  await using peer = await startPeer(t, 'gethostlatency');
  if (peer === undefined) {
    return;
  }
  await using tool = startTool('gethostlatency', ['--json']);
  await tool.ready();
  const hosts = ['localhost', '127.0.0.1', 'ip6-localhost', 'localhost'];
  const pids = hosts.map((host) => spawnSync('getent', ['ahosts', host]).pid);
  await peer.until(({ stdout }) => new RegExp(` ${pids.at(-1)} +getent `).test(stdout), 'the last name');
  const { rows } = await tool.end();
  const { stdout } = await peer.end();
  // TIME PID COMM LATms HOST
  const theirs = [...stdout.matchAll(/^\S+ +(\d+) +(\S+) +([\d.]+) +(\S+)$/gm)]
    .filter(([, pid]) => pids.includes(Number(pid)))
    .map(([, pid, comm, time, host]) => ({ pid: Number(pid), comm, host, time: Number(time) }));
  const ours = rows
    .filter(({ pid }) => pids.includes(Number(pid)))
    .map(({ pid, comm, host, latency }) => ({ pid, comm, host, time: Number(latency) / 1e6 }));
  const timeless = (list: readonly { time: number }[]) => list.map(({ time, ...rest }) => rest);
  assert.ok(ours.length >= hosts.length);
  assert.deepEqual(timeless(ours), timeless(theirs));
  // One of the two is inside the other, and enters and leaves by an interrupt.
  for (const [i, { time }] of ours.entries()) {
    assert.ok(Math.abs(time - (theirs[i]?.time ?? 0)) < 5 + time / 2, `${time} ms, and ${theirs[i]?.time}`);
  }
});
