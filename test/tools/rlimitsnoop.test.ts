import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Actor } from '../helpers/actor.ts';
import { cgroupOf } from '../helpers/cgroup.ts';
import { commOf } from '../helpers/task-fields.ts';
import { timeless, watch } from '../helpers/watch.ts';

const CORE = 4;
const NOFILE = 7;
const UNLIMITED = 2n ** 64n - 1n;
const NO_SUCH = 99;
const EINVAL = 22;
const EFAULT = 14;

const memory = (...limits: bigint[]) => new Uint8Array(BigUint64Array.from(limits).buffer);

test('each call that sets limits is a row, with what it asked for', async () => {
  await using actor = await Actor.start();
  await using other = await Actor.start();
  const old = memory(0n, 0n);
  const call = (name: string, ...args: (number | Uint8Array)[]) => ({ name, args });
  const seen = await watch(
    'rlimitsnoop',
    {
      all: ['--json', '-p', String(actor.pid)],
      failed: ['--json', '-x', '-p', String(actor.pid)],
      other: ['--json', '-p', String(other.pid)],
      text: ['-p', String(actor.pid)],
    },
    () =>
      actor.perform([
        call('setrlimit', NOFILE, memory(512n, 1024n)),
        call('prlimit64', 0, NOFILE, memory(500n, 1000n), 0),
        call('prlimit64', other.pid, CORE, memory(0n, UNLIMITED), old),
        // These set nothing.
        call('prlimit64', 0, NOFILE, 0, old),
        call('getrlimit', NOFILE, old),
        // And these are refused.
        call('prlimit64', 0, NOFILE, memory(2n, 1n), 0),
        call('prlimit64', 0, NO_SUCH, memory(3n, 4n), 0),
        call('setrlimit', NOFILE, 8),
      ]),
  );
  const row = (syscall: string, resource: string, soft: bigint, hard: bigint, more: object = {}) => ({
    pid: actor.pid,
    tid: actor.pid,
    uid: 0,
    comm: commOf(actor.pid),
    cgroup: cgroupOf(actor.pid),
    syscall,
    resource,
    soft: String(soft),
    hard: String(hard),
    ...more,
  });
  const expected = [
    row('setrlimit', 'NOFILE', 512n, 1024n),
    row('prlimit64', 'NOFILE', 500n, 1000n),
    row('prlimit64', 'CORE', 0n, UNLIMITED, { tpid: other.pid }),
    row('prlimit64', 'NOFILE', 2n, 1n, { error: EINVAL }),
    row('prlimit64', String(NO_SUCH), 3n, 4n, { error: EINVAL }),
    row('setrlimit', 'NOFILE', 0n, 0n, { error: EFAULT, unread: true }),
  ];
  assert.deepEqual(timeless(seen.all.rows), expected);
  assert.deepEqual(timeless(seen.failed.rows), expected.slice(3));
  assert.deepEqual(seen.other.rows, []);
  const lines = seen.text.stdout.trimEnd().split('\n');
  assert.equal(lines.length, 1 + expected.length);
  assert.match(lines[0] ?? '', /^ +PID COMM +TPID RESOURCE +SOFT +HARD ERR$/);
  assert.match(lines[3] ?? '', new RegExp(` ${other.pid} CORE +0 +unlimited -$`));
  assert.match(lines[5] ?? '', / - 99 +3 +4 EINVAL$/);
  assert.match(lines[6] ?? '', / - NOFILE +- +- EFAULT$/);
});
