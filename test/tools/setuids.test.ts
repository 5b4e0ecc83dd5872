import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Actor } from '../helpers/actor.ts';
import { cgroupOf } from '../helpers/cgroup.ts';
import { commOf } from '../helpers/task-fields.ts';
import { timeless, watch } from '../helpers/watch.ts';

const NOBODY = 65534;

test('each call is a row, with what it asked for', async () => {
  await using actor = await Actor.start();
  const comm = commOf(actor.pid);
  const calls: readonly (readonly [string, readonly number[], string])[] = [
    ['setuid', [0], 'id=0'],
    ['setgid', [0], 'id=0'],
    ['setreuid', [-1, 0], 'real=-1 effective=0'],
    ['setregid', [0, -1], 'real=0 effective=-1'],
    ['setresgid', [0, 0, NOBODY], `real=0 effective=0 saved=${NOBODY}`],
    ['setfsuid', [0], 'id=0'],
    ['setfsgid', [0], 'id=0'],
    ['setresuid', [NOBODY, NOBODY, NOBODY], `real=${NOBODY} effective=${NOBODY} saved=${NOBODY}`],
    ['setuid', [0], 'id=0'],
  ];
  const seen = await watch(
    'setuids',
    {
      all: ['--json', '-p', String(actor.pid)],
      failed: ['--json', '-x', '-p', String(actor.pid)],
      other: ['--json', '-p', String(process.pid)],
      text: ['-p', String(actor.pid)],
    },
    () => actor.perform(calls.map(([name, args]) => ({ name, args }))),
  );
  const expected = calls.map(([syscall, args, text], i) => {
    const failed = i === calls.length - 1;
    return {
      pid: actor.pid,
      tid: actor.pid,
      uid: i < calls.length - 2 ? 0 : NOBODY,
      gid: 0,
      comm,
      syscall,
      ids: [args[0], args[1] ?? -1, args[2] ?? -1],
      count: args.length,
      ret: failed ? '-1' : '0',
      ...(failed && { error: 1 }),
      cgroup: cgroupOf(actor.pid),
      request: text,
    };
  });
  assert.deepEqual(timeless(seen.all.rows), expected);
  assert.deepEqual(timeless(seen.failed.rows), expected.slice(-1));
  assert.deepEqual(seen.other.rows, []);
  assert.match(seen.text.stdout, /^TIME +PID COMM +UID SYSCALL +ARGS +RET ERR\n/);
  assert.match(seen.text.stdout, / setresgid +real=0 effective=0 saved=65534 +0 -\n/);
  assert.match(seen.text.stdout, / setuid +id=0 +-1 EPERM\n$/);
});
