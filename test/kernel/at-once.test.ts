import assert from 'node:assert/strict';
import { test } from 'node:test';
import { probeFeature } from '../../lib/bpf/features.ts';
import { tracepointsMissSyscalls } from '../../lib/bpf/syscall-functions.ts';
import { startCommand, startTool } from '../helpers/run-tool.ts';

const loops = 6;
const rounds = 2000;

test('calls that six loops make at once are all seen', async () => {
  await using tool = startTool('opensnoop', ['--json', '--comm', 'sh', '--buffer-size', '64M']);
  await tool.ready();
  const script = `i=0; while [ $i -lt ${rounds} ]; do : </dev/null; i=$((i+1)); done`;
  const pids = await Promise.all(
    Array.from({ length: loops }, async () => {
      await using loop = startCommand(['sh', '-c', script]);
      assert.equal((await loop.ended()).code, 0);
      return loop.pid;
    }),
  );
  const { rows, messages } = await tool.end();
  const seen = pids.map((pid) => rows.filter((row) => row.pid === pid && row.path === '/dev/null').length);
  const lost = messages.filter(({ type }) => type === 'lost');
  assert.deepEqual([seen, lost], [pids.map(() => rounds), []]);
});

test('system calls are hooked where their programs are not preempted', async (t) => {
  await using tool = startTool('opensnoop', ['--json']);
  await tool.ready();
  const ready = await tool.message(({ type }) => type === 'ready');
  await tool.end();
  const hooks = (ready.hooks as { hook: string }[]).map(({ hook }) => hook);
  const atFunctions = probeFeature('sleepable_tracepoint').supported && probeFeature('kprobe_multi').supported;
  assert.equal(tracepointsMissSyscalls(), atFunctions);
  const expected = atFunctions ? /^kretprobe\.multi __\w+_sys_open/ : /^tracepoint syscalls:sys_exit_open/;
  assert.ok(
    hooks.some((hook) => expected.test(hook)),
    hooks.join(', '),
  );
  t.diagnostic(hooks.join(', '));
});
