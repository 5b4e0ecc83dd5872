import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { Actor } from '../helpers/actor.ts';
import { cgroupOf } from '../helpers/cgroup.ts';
import { type JsonMessage, startTool } from '../helpers/run-tool.ts';
import { until } from '../helpers/until.ts';

const comm = readFileSync('/proc/self/comm', 'utf8').trim();
const nanosleep = process.arch === 'arm64' ? '101 ' : '35 ';
// Calls that Node makes none of.
const calls = 'setfsgid,linkat,pidfd_getfd,exit_group';

/** Rows without what no test can know, and of the arguments only the numbers that it gave. */
function exact(rows: readonly JsonMessage[]): object[] {
  return rows.map(({ type, time, cpu, duration, unfinished, args, parameters, ...row }) => {
    assert.equal(unfinished === true, duration === undefined);
    assert.ok(unfinished === true || (Number(duration) > 0 && Number(duration) < 60e9));
    return row;
  });
}

test('the last calls of a process are kept until somebody asks', async () => {
  await using actor = await Actor.start();
  const mine = ['-p', String(actor.pid), '-s', calls];
  await using tool = startTool('traceloop', ['--json', '-n', '3', ...mine]);
  await using text = startTool('traceloop', ['-L', ...mine]);
  await Promise.all([tool.ready(), text.ready()]);
  for (let i = 1; i <= 5; i++) {
    await actor.mustCall('setfsgid', 0);
  }
  assert.equal(await actor.call('linkat', -100, '/nowhere', -100, '/no\u001bwhere either', 0), -2);
  assert.deepEqual(tool.rows, []);
  tool.process.kill('SIGUSR1');
  await tool.until(({ rows }) => rows.length === 3);
  // What was shown is forgotten.
  assert.equal(await actor.call('pidfd_getfd', 999, 1, 0), -9);
  const { rows, code, stderr } = await tool.end();
  assert.equal(code, 0, stderr);
  const own = { pid: actor.pid, tid: actor.pid, uid: 0, comm, cgroup: cgroupOf(process.pid) };
  assert.deepEqual(exact(rows), [
    { ...own, number: '3', syscall: 'setfsgid', ret: '0' },
    { ...own, number: '4', syscall: 'setfsgid', ret: '0' },
    { ...own, number: '5', syscall: 'linkat', ret: '-2', error: 2, text: '/nowhere', text2: '/no\\x1bwhere either' },
    { ...own, number: '6', syscall: 'pidfd_getfd', ret: '-9', error: 9 },
  ]);
  assert.deepEqual(
    rows.map(({ parameters }) => String(parameters).replace(/^gid=0$|^\w+=0$/, 'one=0')),
    [
      'one=0',
      'one=0',
      'olddfd=-100, oldname="/nowhere", newdfd=-100, newname="/no\\x1bwhere either", flags=0',
      'pidfd=999, fd=1, flags=0',
    ],
  );
  const lines = (await text.end()).stdout.trimEnd().split('\n');
  assert.equal(lines[0]?.split(/ +/).join(' '), 'TIME CPU PID COMM SYSCALL DURATION RET PARAMETERS');
  assert.equal(lines.length, 8);
  assert.match(lines[6] ?? '', / linkat +\S+ +ENOENT olddfd=-100, oldname="\/nowhere", /);
});

test('a process that a signal ends tells what it did last, and in which call it was', async () => {
  await using actor = await Actor.start();
  await using quiet = await Actor.start();
  await using tool = startTool('traceloop', ['--json', '-s', `${calls},nanosleep`, '--comm', comm]);
  await tool.ready();
  await actor.mustCall('setfsgid', 0);
  await quiet.mustCall('setfsgid', 0);
  // An hour: it is still in there when it is killed.
  actor.tell(0, 'nanosleep', new Uint8Array(BigInt64Array.of(3600n, 0n).buffer), 0);
  await until(() => readFileSync(`/proc/${actor.pid}/syscall`, 'utf8').startsWith(nanosleep));
  process.kill(actor.pid, 'SIGKILL');
  await actor.ended;
  const of = (pid: number) => tool.rows.filter((row) => row.pid === pid);
  await tool.until(() => of(actor.pid).length === 2);
  assert.deepEqual(
    of(actor.pid).map(({ syscall, ret }) => ({ syscall, ret })),
    [
      { syscall: 'setfsgid', ret: '0' },
      // Interrupted, to be restarted where there is somebody to do so.
      { syscall: 'nanosleep', ret: '-516' },
    ],
  );
  assert.deepEqual(of(quiet.pid), []);
  await tool.end();
  assert.equal(of(actor.pid).length, 2);
  assert.equal(of(quiet.pid).length, 1);
});

test('a call that has not returned is shown as that', async () => {
  await using actor = await Actor.start();
  await using tool = startTool('traceloop', ['--json', '-s', 'nanosleep', '-p', String(actor.pid)]);
  await tool.ready();
  actor.tell(0, 'nanosleep', new Uint8Array(BigInt64Array.of(3600n, 0n).buffer), 0);
  await until(() => readFileSync(`/proc/${actor.pid}/syscall`, 'utf8').startsWith(nanosleep));
  const { rows } = await tool.end();
  assert.deepEqual(
    rows.map(({ syscall, unfinished, duration }) => ({ syscall, unfinished, duration })),
    [{ syscall: 'nanosleep', unfinished: true, duration: undefined }],
  );
});
