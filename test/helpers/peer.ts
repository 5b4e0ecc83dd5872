import { spawnSync } from 'node:child_process';
import type { TestContext } from 'node:test';
import { heldBy } from './bpf-ids.ts';
import { patience } from './deadline.ts';
import { type RunningTool, startCommand } from './run-tool.ts';

/**
 * Starts the tool of the same name that comes with libbpf-tools, and waits until it has attached and printed its
 * header: a second witness of a workload. One that prints nothing before its end is waited for by its links. Skips the
 * test where it is not installed or cannot run on this kernel.
 */
export async function startPeer(
  t: TestContext,
  name: string,
  args: readonly string[] = [],
  { prints = true } = {},
): Promise<RunningTool | undefined> {
  const file = `/usr/sbin/${name}`;
  if (!spawnSync(file, ['--usage'], { encoding: 'utf8' }).stdout?.includes(`Usage: ${name} [-`)) {
    t.skip(`${name} of libbpf-tools is not installed`);
    return undefined;
  }
  const peer = startCommand(['stdbuf', '-oL', file, ...args]);
  try {
    await (prints ? peer.until(({ stdout }) => stdout.includes('\n'), 'the header') : linked(peer));
    return peer;
  } catch (error) {
    await peer[Symbol.asyncDispose]();
    if (peer.process.exitCode === null) {
      throw error;
    }
    t.skip(`${name} of libbpf-tools cannot run on this kernel: ${peer.stderr.trim().split('\n').at(-1)}`);
    return undefined;
  }
}

/**
 * Starts bpftrace on a program, and waits until it has attached: another witness. Skips the test where it is not
 * installed or cannot run on this kernel.
 */
export async function startBpftrace(t: TestContext, program: string): Promise<RunningTool | undefined> {
  if (spawnSync('bpftrace', ['--version']).status !== 0) {
    t.skip('bpftrace is not installed');
    return undefined;
  }
  const peer = startCommand(['bpftrace', '-e', `BEGIN { printf("ready\\n"); } ${program}`]);
  try {
    await peer.until(({ stdout }) => stdout.includes('ready\n'), 'the beginning');
    return peer;
  } catch (error) {
    await peer[Symbol.asyncDispose]();
    if (peer.process.exitCode === null) {
      throw error;
    }
    t.skip(`bpftrace cannot run on this kernel: ${peer.stderr.trim().split('\n').at(-1)}`);
    return undefined;
  }
}

async function linked(peer: RunningTool): Promise<void> {
  const end = performance.now() + patience;
  while (![...heldBy(peer.pid)].some((id) => id.startsWith('link '))) {
    if (peer.process.exitCode !== null || performance.now() > end) {
      throw new Error(`does not attach: ${peer.stderr}`);
    }
    await new Promise(setImmediate);
  }
}
