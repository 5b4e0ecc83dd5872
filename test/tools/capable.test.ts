import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Actor } from '../helpers/actor.ts';
import { cgroupOf, TestCgroup } from '../helpers/cgroup.ts';
import { runTool, startTool } from '../helpers/run-tool.ts';
import { commOf } from '../helpers/task-fields.ts';
import { timeless, watch } from '../helpers/watch.ts';

const CALLS = 23;
const SYS_CHROOT = 18;
const EPERM = -1;
const NOBODY = 65534;

test('each check is a row, granted or not, and repeated only when it is asked for', async (t) => {
  const { code, stderr } = await runTool('capable', ['--duration', '0.1']);
  if (code === 3) {
    assert.match(stderr, /cap_capable/);
    t.skip(stderr);
    return;
  }
  using empty = new TestCgroup();
  await using root = await Actor.start({ threads: 1 });
  await using user = await Actor.start();
  const comm = commOf(root.pid);
  await user.mustCall('setresuid', NOBODY, NOBODY, NOBODY);
  const chroot = { name: 'chroot', args: ['/'] } as const;
  await using own = startTool('capable', ['--json', '--cap', 'sys_chroot', '-U', '-p', String(root.pid)]);
  await own.ready();
  const seen = await watch(
    'capable',
    {
      root: ['--json', '--cap', 'sys_chroot', '-p', String(root.pid)],
      user: ['--json', '--cap', '18', '-p', String(user.pid)],
      unique: ['--json', '--cap', 'CAP_SYS_CHROOT', '-p', String(user.pid), '--unique'],
      each: ['--json', '--cap', '18', '-p', String(user.pid), '--unique=pid'],
      cgroup: ['--json', '--cap', 'CAP_SYS_CHROOT', '-p', String(root.pid), '--unique', 'cgroup'],
      denied: ['--json', '--denied', '--cap', 'sys_chroot', '-p', String(root.pid)],
      stacks: ['--json', '--cap', 'sys_chroot', '-K', '-p', String(root.pid)],
      shallow: ['--json', '--cap', 'sys_chroot', '-K', '--perf-max-stack-depth', '6', '-p', String(root.pid)],
      thread: ['--json', '--cap', 'sys_chroot', '-t', String(root.tids[1])],
      nobody: ['--json', '--cgroup', empty.path],
      other: ['--json', '--cap', 'sys_boot', '-p', String(root.pid)],
      text: ['-x', '--cap', 'sys_chroot', '-p', String(user.pid)],
    },
    async () => {
      const calls = Array.from({ length: CALLS }, () => chroot);
      assert.ok((await root.perform(calls)).every(({ result }) => result === 0));
      assert.equal((await root.ask(1, 'chroot', '/')).result, 0);
      assert.ok((await user.perform(calls)).every(({ result }) => result === EPERM));
    },
  );
  // The tracepoint does not know what is audited.
  const told = seen.root.rows[0]?.untold === undefined ? { audit: 'yes' } : { untold: true };
  const check = { cap: SYS_CHROOT, syscall: 'chroot', name: 'CAP_SYS_CHROOT', comm, ...told };
  const who = ({ pid }: Actor) => ({ pid, tid: pid, cgroup: cgroupOf(pid) });
  const granted = { ...who(root), uid: 0, ...check, verdict: 'allow' };
  const refused = { ...who(user), uid: NOBODY, ...check, verdict: 'deny', error: -EPERM };
  const inThread = { ...granted, tid: root.tids[1] };
  assert.deepEqual(timeless(seen.root.rows), [...Array(CALLS).fill(granted), inThread]);
  assert.deepEqual(timeless(seen.thread.rows), [inThread]);
  assert.deepEqual(timeless(seen.user.rows), Array(CALLS).fill(refused));
  assert.deepEqual(timeless(seen.unique.rows), [refused]);
  assert.deepEqual(timeless(seen.each.rows), [refused]);
  assert.deepEqual(timeless(seen.cgroup.rows), [granted]);
  for (const { rows } of [seen.denied, seen.nobody, seen.other]) {
    assert.deepEqual(rows, []);
  }
  for (const { kernel } of seen.stacks.rows) {
    const names = (kernel as { symbol?: string }[]).map(({ symbol = '' }) => symbol);
    assert.ok(
      names.some((name) => name.includes('chroot')),
      names.join(),
    );
  }
  assert.equal(seen.stacks.rows.length, CALLS + 1);
  const symbols = ({ kernel }: object & { readonly kernel?: unknown }) =>
    (kernel as { symbol?: string }[]).map(({ symbol }) => symbol);
  const [deep = []] = seen.stacks.rows.map(symbols);
  for (const shallow of seen.shallow.rows.map(symbols)) {
    assert.ok(shallow.length > 0 && shallow.length < deep.length, `${shallow} of ${deep}`);
    assert.deepEqual(shallow, deep.slice(0, shallow.length));
  }
  const { rows } = await own.end();
  assert.deepEqual([rows.length, rows.every(({ user }) => (user as object[]).length > 0)], [CALLS + 1, true]);
  assert.match(seen.text.stdout, /^TIME +UID +PID +TID +COMM +CAP NAME +AUDIT +SYSCALL +VERDICT +INSETID\n/);
  const audit = 'untold' in told ? '- +' : 'yes +';
  const line = new RegExp(` ${NOBODY} +${user.pid} +${user.pid} ${comm} +18 CAP_SYS_CHROOT +${audit}chroot +deny`, 'g');
  assert.equal(seen.text.stdout.match(line)?.length, CALLS);
});

test('checks that are not audited are shown only with -v', async (t) => {
  await using actor = await Actor.start();
  await using other = await Actor.start();
  await other.mustCall('setresuid', NOBODY, NOBODY, NOBODY);
  const own = ['--json', '--cap', 'sys_ptrace', '-p', String(actor.pid)];
  await using all = startTool('capable', [...own, '-v']);
  await using usual = startTool('capable', own);
  await Promise.all([all.ready(), usual.ready()]);
  const { hooks } = (await all.message(({ type }) => type === 'ready')) as unknown as { hooks: { hook: string }[] };
  // Linux shows some of this file to those only who may trace the process, and does not audit it.
  const fd = await actor.mustCall('openat', -100, `/proc/${other.pid}/stat`, 0, 0);
  await actor.mustCall('read', fd, new Uint8Array(64), 64);
  const seen = await all.end();
  if (hooks.some(({ hook }) => hook.startsWith('tp_btf'))) {
    t.skip('the only hook that this kernel allows does not tell what is audited');
    return;
  }
  assert.deepEqual((await usual.end()).rows, []);
  assert.ok(seen.rows.some(({ unaudited, syscall, audit }) => unaudited && syscall === 'read' && audit === 'no'));
});
