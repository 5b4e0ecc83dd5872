import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Actor } from '../helpers/actor.ts';
import { startTool, type ToolResult } from '../helpers/run-tool.ts';
import { action, FLAG_LOG, installFilter } from '../helpers/seccomp.ts';
import { noTracedFunctions } from '../helpers/traced-functions.ts';
import { watch } from '../helpers/watch.ts';

const EACCES = 13;
const EBUSY = 16;

/** How often each action came up for each system call of some threads, in the order in which it first did. */
function told({ rows }: ToolResult, tids: readonly number[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { action: name, syscall, error, tid } of rows) {
    if (tids.includes(Number(tid))) {
      const what = [name, syscall, ...(error === undefined ? [] : [error])].join(' ');
      counts[what] = (counts[what] ?? 0) + 1;
    }
  }
  return counts;
}

test('what filters log, refuse, trap and kill is told once, with the call', async () => {
  await using actor = await Actor.start();
  await using trapped = await Actor.start();
  await using killed = await Actor.start();
  await using halved = await Actor.start({ threads: 1 });
  const [, worker = 0] = halved.tids;
  const seen = await watch(
    'seccompsnoop',
    {
      all: ['--json'],
      own: ['--json', '-p', String(actor.pid)],
      refused: ['--json', '-e'],
    },
    async ({ all, refused }) => {
      await installFilter(actor, 0, { setfsuid: action.log, setfsgid: action.errno(EACCES) }, FLAG_LOG);
      await installFilter(actor, 0, { chroot: action.errno(EBUSY) });
      for (let i = 0; i < 5; i++) {
        await actor.mustCall('setfsuid', -1);
      }
      for (let i = 0; i < 4; i++) {
        assert.equal(await actor.call('setfsgid', -1), -EACCES);
      }
      for (let i = 0; i < 3; i++) {
        assert.equal(await actor.call('chroot', '/'), -EBUSY);
      }
      await installFilter(trapped, 0, { setfsuid: action.trap });
      trapped.tell(0, 'setfsuid', 0);
      assert.equal((await trapped.ended).signal, 'SIGSYS');
      await installFilter(killed, 0, { setfsgid: action.killProcess });
      killed.tell(0, 'setfsgid', 0);
      assert.equal((await killed.ended).signal, 'SIGSYS');
      await installFilter(halved, 1, { chroot: action.killThread });
      halved.tell(1, 'chroot', '/');
      for (const tool of [all, refused]) {
        await tool.row(({ tid }) => tid === worker, 'the end of a thread');
      }
      // Nobody else's signal is the work of a filter.
      process.kill(actor.pid, 'SIGSYS');
      assert.equal((await actor.ended).signal, 'SIGSYS');
    },
  );
  const tids = [actor, trapped, killed, halved].flatMap((one) => one.tids);
  // Without a hook at the function that logs, only what a signal or an end tells is seen.
  const audited = noTracedFunctions() === false;
  const logged = audited ? { 'LOG setfsuid': 5 } : {};
  const ends = { 'TRAP setfsuid': 1, 'KILL_PROCESS setfsgid': 1, 'KILL_THREAD chroot': 1 };
  assert.deepEqual(told(seen.all, tids), { ...logged, ...(audited && { 'ERRNO setfsgid': 4 }), ...ends });
  assert.deepEqual(told(seen.own, tids), { ...logged, ...(audited && { 'ERRNO setfsgid': 4 }) });
  const errors = { [`ERRNO setfsgid ${EACCES}`]: 4, [`ERRNO chroot ${EBUSY}`]: 3 };
  assert.deepEqual(told(seen.refused, tids), { ...logged, ...errors, ...ends });
  const thread = seen.all.rows.find(({ tid }) => tid === worker);
  assert.deepEqual([thread?.pid, thread?.action], [halved.pid, 'KILL_THREAD']);
});

test('the stack is that of the call', async () => {
  await using actor = await Actor.start();
  await using tool = startTool('seccompsnoop', ['--json', '-e', '-U', '-p', String(actor.pid)]);
  await tool.ready();
  await installFilter(actor, 0, { setfsgid: action.errno(EACCES) });
  assert.equal(await actor.call('setfsgid', 0), -EACCES);
  const row = await tool.row(({ action: name }) => name === 'ERRNO');
  const frames = row.user as readonly { readonly module?: string }[];
  assert.ok(
    frames.some(({ module }) => /libc/.test(module ?? '')),
    JSON.stringify(frames),
  );
  await tool.end();
});
