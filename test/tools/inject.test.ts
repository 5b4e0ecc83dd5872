import assert from 'node:assert/strict';
import { test } from 'node:test';
import { canAttach } from '../../lib/bpf/hooks.ts';
import { Actor } from '../helpers/actor.ts';
import { enterCgroup, TestCgroup } from '../helpers/cgroup.ts';
import { runTool, startTool } from '../helpers/run-tool.ts';
import { taskFields } from '../helpers/task-fields.ts';
import { TemporaryDirectory } from '../helpers/temporary-directory.ts';
import { timeless, watch } from '../helpers/watch.ts';

const lacking = canAttach('fmod_ret/security_file_open');
const skip = lacking.supported === false ? lacking.reason : false;
const [EPERM, ENODEV, EMFILE, ENOSPC, EDQUOT] = [1, 19, 24, 28, 122];
const [AT_FDCWD, AF_INET, SOCK_DGRAM, PR_SET_NAME] = [-100, 2, 2, 15];
const NOBODY = 65534;
const devNull = Buffer.from('/dev/null\0');

async function open(actor: Actor): Promise<number> {
  const fd = await actor.call('openat', AT_FDCWD, devNull, 0, 0);
  if (fd >= 0) {
    await actor.mustCall('close', fd);
  }
  return Math.min(fd, 0);
}

const socket = { name: 'socket', args: [AF_INET, SOCK_DGRAM, 0] } as const;

test('so many calls fail as it is told, of those that it is told, and only while it runs', { skip }, async () => {
  await using one = await Actor.start();
  await using other = await Actor.start();
  const rounds = 10;
  const seen = await watch(
    'inject',
    { rows: ['--json', 'security_file_open=EMFILE', '-p', String(one.pid), '-c', '3'] },
    async () => {
      for (let round = 0; round < rounds; round++) {
        assert.equal(await open(one), round < 3 ? -EMFILE : 0, `round ${round}`);
        assert.equal(await open(other), 0);
      }
    },
  );
  assert.equal(await open(one), 0);
  const { uid: _, ...fields } = taskFields(one.pid);
  const common = { comm: fields.comm, function: 'security_file_open', error: EMFILE };
  const rows = Array(3).fill({ ...taskFields(one.pid), ...common, syscall: 'openat' });
  assert.deepEqual(timeless(seen.rows.rows), rows);
  const [table] = seen.rows.messages.filter(({ type }) => type === 'table');
  assert.deepEqual(table?.rows, [{ pid: one.pid, ...common, count: 3 }]);
});

test('filters and the way that a call came decide what fails', { skip }, async () => {
  await using one = await Actor.start({ threads: 1 });
  await using named = await Actor.start();
  await using user = await Actor.start();
  using cgroup = new TestCgroup();
  await using inside = await Actor.start();
  enterCgroup(cgroup.path, inside.pid);
  await named.mustCall('prctl', PR_SET_NAME, Buffer.from('fails\0'), 0, 0, 0);
  await user.mustCall('setresuid', NOBODY, NOBODY, NOBODY);
  const time = Buffer.alloc(16);
  const stat = Buffer.alloc(256);
  const fd = await named.mustCall('socket', AF_INET, SOCK_DGRAM, 0);
  await watch(
    'inject',
    {
      thread: ['--json', 'security_socket_create=ENODEV', '-t', String(one.tids[1])],
      comm: ['--json', 'security_socket_create=ENOSPC', '--comm', 'fails'],
      cgroup: ['--json', 'security_socket_create=EDQUOT', '--cgroup', cgroup.path],
      user: ['--json', 'security_settime64=EDQUOT', '-u', String(NOBODY)],
      under: ['--json', 'security_inode_getattr', '-p', String(named.pid), '--under', 'vfs_fstat'],
      never: ['--json', 'security_socket_create', '-a', '-P', '0'],
    },
    async () => {
      const [[first], [second]] = await Promise.all([one.perform([socket]), one.perform([socket], 1)]);
      assert.ok((first?.result ?? -1) >= 0);
      assert.equal(second?.result, -ENODEV);
      assert.equal(await named.call('socket', ...socket.args), -ENOSPC);
      assert.equal(await inside.call('socket', ...socket.args), -EDQUOT);
      assert.equal(await user.call('settimeofday', time, 0), -EDQUOT);
      assert.ok((await user.call('socket', ...socket.args)) >= 0);
      assert.equal(await named.call('fstat', fd, stat), -13);
      assert.equal(await named.call('newfstatat', AT_FDCWD, devNull, stat, 0), 0);
      assert.equal(await user.call('fstat', 0, stat), 0);
    },
  );
  assert.equal(await user.call('settimeofday', time, 0), -EPERM);
});

test('each call is as likely to fail as it is told', { skip }, async () => {
  await using actor = await Actor.start();
  const rounds = 400;
  const calls = Array.from({ length: rounds }, () => socket);
  let failed = 0;
  const seen = await watch(
    'inject',
    { half: ['--json', 'security_socket_create', '-P', '.5', '-p', String(actor.pid)] },
    async () => {
      const results = await actor.perform(calls);
      failed = results.filter(({ result }) => result < 0).length;
    },
  );
  // Ten standard deviations, of 10 each.
  assert.ok(Math.abs(failed - rounds / 2) < 100, `${failed} of ${rounds}`);
  assert.equal(seen.half.rows.length, failed);
});

test('nothing is left behind by one that is killed, and a command can be given', { skip }, async () => {
  using folder = new TemporaryDirectory();
  await using actor = await Actor.start();
  await using tool = startTool('inject', ['security_file_open', '-p', String(actor.pid)]);
  await tool.ready();
  assert.equal(await open(actor), -13);
  tool.process.kill('SIGKILL');
  await tool.ended();
  assert.equal(await open(actor), 0);
  const path = `${folder.path}/made`;
  const { code, stdout, stderr } = await runTool('inject', ['security_inode_mkdir=EDQUOT', '--', 'mkdir', path]);
  assert.equal(code, 0, stderr);
  assert.match(stderr, /mkdir: [^\n]*: (Disk quota|Quota) exceeded\n/);
  assert.match(stdout, /^[^\n]* ERR\n[\d:]+ +\d+ mkdir +mkdir(at)? +security_inode_mkdir +EDQUOT\n/);
  assert.match(stdout, /\n *PID COMM +FUNCTION +ERR +FAILED\n *\d+ mkdir +security_inode_mkdir +EDQUOT +1\n$/);
});

test('it does not start without a filter, and refuses what cannot fail', async () => {
  const refusals = [
    [['security_file_open', '-u', '0'], 2, /^inject: no filter says whose calls shall fail\nhint: /],
    [['security_file_free', '-p', '1'], 2, /^inject: security_file_free returns nothing, so it cannot fail\n/],
    [['vfs_read', '-p', '1'], 3, /^inject: this kernel lets no program have vfs_read fail\nhint: /],
    [['security_file_open', '-p', '1', '-P', '1.1'], 2, /'1.1' is not a number from 0 to 1/],
    [['security_file_open', '-p', '1', '--under', 'no_such'], 2, /^inject: the kernel has no function no_such\n/],
    [
      ['security_file_open', '-p', '1', '--under', 'm_stop'],
      2,
      /^inject: \d functions of the kernel are called m_stop\n/,
    ],
  ] as const;
  const results = await Promise.all(refusals.map(([args]) => runTool('inject', args)));
  for (const [i, [, code, message]] of refusals.entries()) {
    assert.equal(results[i]?.code, code, results[i]?.stderr);
    assert.match(results[i]?.stderr ?? '', message);
    assert.equal(results[i]?.stdout, '');
  }
});
