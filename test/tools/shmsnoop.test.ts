import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Actor } from '../helpers/actor.ts';
import { watch } from '../helpers/watch.ts';

const IPC_PRIVATE = 0;
const IPC_CREAT_0600 = 0o1600;
const IPC_RMID = 0;
const IPC_STAT = 2;
/** Libraries of some architectures add it to each command. */
const IPC_64 = 0x100;
const EINVAL = 22;

test('each call is a row with its arguments by name', async () => {
  await using actor = await Actor.start();
  const own = ['-p', String(actor.pid)];
  let id = 0;
  let at = 0;
  const { all, failed, named, text } = await watch(
    'shmsnoop',
    {
      all: ['--json', ...own],
      failed: ['--json', '-x', ...own],
      named: ['--json', '-n', 'no such name', ...own],
      text: own,
    },
    async () => {
      id = await actor.mustCall('shmget', IPC_PRIVATE, 8192, IPC_CREAT_0600);
      at = await actor.mustCall('shmat', id, 0, 0);
      await actor.mustCall('shmctl', id, IPC_RMID, 0);
      await actor.call('shmctl', id, IPC_64 | IPC_STAT, 0x1000);
      await actor.mustCall('shmdt', at);
      await actor.call('shmdt', 0x1000);
    },
  );
  assert.deepEqual(
    all.rows.map(({ syscall, ret, error, request }) => ({ syscall, ret, error, request })),
    [
      { syscall: 'shmget', ret: String(id), error: undefined, request: 'key: 0x0, size: 8192, shmflg: 01600' },
      { syscall: 'shmat', ret: String(at), error: undefined, request: `shmid: ${id}, shmaddr: 0x0, shmflg: 0x0` },
      { syscall: 'shmctl', ret: '0', error: undefined, request: `shmid: ${id}, cmd: IPC_RMID, buf: 0x0` },
      { syscall: 'shmctl', ret: '-22', error: EINVAL, request: `shmid: ${id}, cmd: IPC_STAT, buf: 0x1000` },
      { syscall: 'shmdt', ret: '0', error: undefined, request: `shmaddr: 0x${at.toString(16)}` },
      { syscall: 'shmdt', ret: '-22', error: EINVAL, request: 'shmaddr: 0x1000' },
    ],
  );
  assert.equal(failed.rows.length, 2);
  assert.equal(named.rows.length, 0);
  assert.match(text.stdout, /^ *PID +COMM +SYS +RET +ERR +ARGs\n/m);
  assert.ok(text.stdout.includes(` 0x${at.toString(16)} `), text.stdout);
});
