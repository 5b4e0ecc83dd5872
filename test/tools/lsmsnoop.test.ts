import assert from 'node:assert/strict';
import { test } from 'node:test';
import { canAttach } from '../../lib/bpf/hooks.ts';
import { hasKernelSymbol } from '../../lib/bpf/kernel-symbols.ts';
import { Actor } from '../helpers/actor.ts';
import { cgroupOf, TestCgroup } from '../helpers/cgroup.ts';
import { type JsonMessage, runTool } from '../helpers/run-tool.ts';
import { taskFields } from '../helpers/task-fields.ts';
import { timeless, watch } from '../helpers/watch.ts';

const ROUNDS = 23;
const [AF_INET, SOCK_STREAM] = [2, 1];
const NOBODY = 65534;
const EPERM = 1;

const lacking = ['kprobe/security_file_open', 'kretprobe/security_file_open']
  .map((section) => canAttach(section))
  .find(({ supported }) => supported === false);

test('each decision is a row, in order, with its hook, system call and result', async (t) => {
  if (lacking !== undefined) {
    const { code, stderr } = await runTool('lsmsnoop', ['--duration', '0.1']);
    assert.deepEqual([code, stderr.split('\n')[0]?.startsWith('lsmsnoop: this kernel lacks')], [3, true]);
    t.skip(lacking.reason);
    return;
  }
  using empty = new TestCgroup();
  await using root = await Actor.start();
  await using user = await Actor.start();
  await user.mustCall('setresuid', NOBODY, NOBODY, NOBODY);
  const time = Buffer.alloc(16);
  const seen = await watch(
    'lsmsnoop',
    {
      sockets: ['--json', '-H', 'socket_*create,socket_listen', '-p', String(root.pid)],
      refused: ['--json', '-x', '-H', 'settime,socket_create', '-p', String(user.pid)],
      all: ['--json', '-H', 'settime,capable', '-p', String(user.pid), '-K'],
      nobody: ['--json', '-H', 'socket_create', '--cgroup', empty.path],
      text: ['-x', '-U', '-H', 'settime', '-p', String(user.pid)],
    },
    async () => {
      for (let round = 0; round < ROUNDS; round++) {
        const fd = await root.mustCall('socket', AF_INET, SOCK_STREAM, 0);
        await root.mustCall('listen', fd, 1);
        await root.mustCall('close', fd);
        assert.equal(await user.call('settimeofday', time, 0), -EPERM);
      }
    },
  );
  const decision = (syscall: string, hook: string) => ({
    ...taskFields(root.pid),
    syscall,
    hook,
    answer: 0,
  });
  const round = [
    decision('socket', 'socket_create'),
    decision('socket', 'socket_post_create'),
    decision('listen', 'socket_listen'),
  ];
  const without = (name: string, rows: readonly object[]) =>
    rows.map((row) => Object.fromEntries(Object.entries(row).filter(([key]) => key !== name)));
  const placeless = (rows: readonly JsonMessage[]) => without('address', timeless(rows));
  assert.deepEqual(placeless(seen.sockets.rows), Array(ROUNDS).fill(round).flat());
  const refusal = {
    ...taskFields(user.pid),
    uid: NOBODY,
    cgroup: cgroupOf(user.pid),
    syscall: 'settimeofday',
    hook: 'settime',
    answer: -EPERM,
    error: EPERM,
  };
  assert.deepEqual(placeless(seen.refused.rows), Array(ROUNDS).fill(refusal));
  // To set the time takes a capability.
  assert.deepEqual(
    without('kernel', placeless(seen.all.rows)),
    Array(ROUNDS)
      .fill([{ ...refusal, hook: 'capable' }, refusal])
      .flat(),
  );
  // Since 5.16, where the function that hooked returns pass has another name, stacks are followed through it.
  const caller = hasKernelSymbol('kretprobe_trampoline') ? 'kretprobe_trampoline' : 'settimeofday';
  for (const { kernel } of seen.all.rows) {
    const symbols = (kernel as { symbol?: string }[]).map(({ symbol = '' }) => symbol);
    assert.ok(
      symbols.some((symbol) => symbol.includes(caller)),
      symbols.join(' '),
    );
  }
  assert.deepEqual(seen.nobody.rows, []);
  assert.match(seen.text.stdout, /^ +UID +PID +COMM +SYSCALL +HOOK +ANSWER ERR\n/);
  const line = new RegExp(`^ *${NOBODY} +${user.pid} .* settimeofday +settime +-1 EPERM\n`, 'gm');
  assert.equal(seen.text.stdout.match(line)?.length, ROUNDS, seen.text.stdout);
});

test('hooks without a decision, or that are no hooks, are an error', async (t) => {
  if (lacking !== undefined) {
    t.skip(lacking.reason);
    return;
  }
  const { code, stderr } = await runTool('lsmsnoop', ['-H', 'file_free,load_policy']);
  assert.equal(code, 2);
  assert.match(stderr, /^lsmsnoop: this kernel has no hook 'file_free,load_policy' that can be traced\n/);
});
