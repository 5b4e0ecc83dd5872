import assert from 'node:assert/strict';
import { closeSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { addressOf } from '../../lib/native/memory.ts';
import { Actor } from '../helpers/actor.ts';
import { cgroupOf } from '../helpers/cgroup.ts';
import { mustSyscall, syscall } from '../helpers/syscall.ts';
import { timeless, watch } from '../helpers/watch.ts';

const TRACEME = 0;
const PEEKDATA = 2;
const ATTACH = 16;
const DETACH = 17;
const SETOPTIONS = 0x4200;
const SEIZE = 0x4206;
const INTERRUPT = 0x4207;
const WALL = 0x40000000;
const nobody = 2 ** 22 + 7;

const cgroup = cgroupOf(process.pid);
const comm = readFileSync('/proc/self/comm', 'utf8').trim();

test('who takes hold of a process, and what was refused', async () => {
  await using target = await Actor.start();
  await using tracer = await Actor.start();
  const mine = ['--json', '-p', String(tracer.pid)];
  const seen = await watch(
    'ptracesnoop',
    {
      few: mine,
      all: [...mine, '-a'],
      failed: [...mine, '-x'],
      target: [...mine, '-T', String(target.pid)],
      others: ['--json', '-a', '-p', String(target.pid)],
      text: ['-p', String(tracer.pid)],
    },
    async ({ few, all, target: ofTarget }) => {
      assert.equal(await tracer.call('ptrace', ATTACH, nobody, 0, 0), -3);
      await tracer.mustCall('ptrace', SEIZE, target.pid, 0, 0);
      await tracer.mustCall('ptrace', INTERRUPT, target.pid, 0, 0);
      await tracer.mustCall('wait4', target.pid, 0, WALL, 0);
      await tracer.mustCall('ptrace', SETOPTIONS, target.pid, 0, 0);
      assert.equal(await tracer.call('ptrace', PEEKDATA, target.pid, 16, 0), -5);
      await tracer.mustCall('ptrace', DETACH, target.pid, 0, 0);
      await tracer.mustCall('ptrace', TRACEME, 0, 0, 0);
      // Names of targets are looked up while they live.
      await few.until(({ rows }) => rows.length === 4);
      await all.until(({ rows }) => rows.length === 7);
      await ofTarget.until(({ rows }) => rows.length === 2);
    },
  );
  const own = { pid: tracer.pid, tid: tracer.pid, uid: 0, comm, cgroup, syscall: 'ptrace' };
  const of = { ...own, tpid: target.pid, tcomm: comm };
  const [attach, seize, interrupt, options, peek, detach, traceme] = [
    { ...own, op: ATTACH, call: 'PTRACE_ATTACH', tpid: nobody, error: 3 },
    { ...of, op: SEIZE, call: 'PTRACE_SEIZE' },
    { ...of, op: INTERRUPT, call: 'PTRACE_INTERRUPT' },
    { ...of, op: SETOPTIONS, call: 'PTRACE_SETOPTIONS' },
    { ...of, op: PEEKDATA, call: 'PTRACE_PEEKDATA', address: '0x10', error: 5 },
    { ...of, op: DETACH, call: 'PTRACE_DETACH' },
    { ...own, op: TRACEME, call: 'PTRACE_TRACEME' },
  ];
  assert.deepEqual(timeless(seen.few.rows), [attach, seize, detach, traceme]);
  assert.deepEqual(timeless(seen.all.rows), [attach, seize, interrupt, options, peek, detach, traceme]);
  assert.deepEqual(timeless(seen.failed.rows), [attach]);
  assert.deepEqual(timeless(seen.target.rows), [seize, detach]);
  assert.deepEqual(seen.others.rows, []);
  const [header = '', first = '', ...lines] = seen.text.stdout.trimEnd().split('\n');
  assert.equal(header.split(/ +/).join(' '), 'TIME PID COMM CALL TPID TCOMM BYTES FD ERR');
  assert.match(first, /PTRACE_ATTACH +4194311 - +- +- ESRCH *$/);
  assert.equal(lines.length, 3);
});

test('memory and descriptors that are taken from a process', async () => {
  const from = Buffer.from('twenty-three bytes long');
  const to = new Uint8Array(from.length);
  const vector = (bytes: Uint8Array) =>
    new Uint8Array(BigUint64Array.of(addressOf(bytes), BigInt(bytes.length)).buffer);
  const seen = await watch('ptracesnoop', { all: ['--json', '-p', String(process.pid)] }, () => {
    mustSyscall('process_vm_readv', process.pid, vector(to), 1, vector(from), 1, 0);
    assert.equal(syscall('process_vm_readv', nobody, vector(to), 1, vector(from), 1, 0), -3);
    const pidfd = mustSyscall('pidfd_open', process.pid, 0);
    const fd = mustSyscall('pidfd_getfd', pidfd, 0, 0);
    closeSync(fd);
    closeSync(pidfd);
  });
  assert.deepEqual(Buffer.from(to), from);
  const own = { pid: process.pid, tid: process.pid, uid: 0, comm, cgroup, op: -1 };
  const address = `0x${addressOf(from).toString(16)}`;
  const read = { ...own, syscall: 'process_vm_readv', call: 'process_vm_readv', address };
  const { fd, ...taken } = (timeless(seen.all.rows)[2] ?? {}) as { fd?: number };
  assert.ok(Number(fd) > 2);
  assert.deepEqual(
    [...timeless(seen.all.rows).slice(0, 2), taken],
    [
      { ...read, tpid: process.pid, tcomm: comm, bytes: from.length },
      { ...read, tpid: nobody, error: 3 },
      { ...own, syscall: 'pidfd_getfd', call: 'pidfd_getfd' },
    ],
  );
});
