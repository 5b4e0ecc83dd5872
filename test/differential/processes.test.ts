import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startPeer } from '../helpers/peer.ts';
import { randomNumbers } from '../helpers/random.ts';
import { type JsonMessage, startCommand, startTool } from '../helpers/run-tool.ts';

const seed = Number(process.env.KSCOPE_SEED ?? 5);
const steps = 60;

/** A shell script that opens, starts and ends, one thing after the other, by chance. */
function script(): string {
  const random = randomNumbers(seed);
  const word = () => ['alpha', '-x', '--long=1', '/etc', '0', 'two words', "it's"][random(7)] as string;
  const quoted = (text: string) => `'${text.replaceAll("'", "'\\''")}'`;
  const lines = Array.from({ length: steps }, (_, i) => {
    switch (random(5)) {
      case 0:
        return `true < /nonexistent/differential-${i}`;
      case 1:
        return 'true < /etc/hostname';
      case 2:
        return `/bin/true ${Array.from({ length: random(4) }, () => quoted(word())).join(' ')}`;
      case 3:
        return `(exit ${random(256)})`;
      default:
        return `sh -c ${quoted(`kill -${['TERM', 'KILL', 'HUP', 'USR1'][random(4)]} $$`)}`;
    }
  });
  return `exec 2>/dev/null\n${lines.join('\n')}\nexit 0`;
}

const texts = (rows: readonly JsonMessage[], fields: readonly string[], absent: Readonly<Record<string, unknown>>) =>
  rows.map((row) => fields.map((field) => String(row[field] ?? absent[field])));

test('opens, execs and exits of a shell: what opensnoop, execsnoop and exitsnoop of libbpf-tools see', async (t) => {
  const peers = [];
  for (const [name, args] of [
    ['opensnoop', []],
    ['execsnoop', []],
    ['exitsnoop', []],
  ] as const) {
    const peer = await startPeer(t, name, args);
    if (peer === undefined) {
      return;
    }
    peers.push(peer);
  }
  const [theirOpens, theirExecs, theirExits] = peers as [(typeof peers)[0], (typeof peers)[0], (typeof peers)[0]];
  await using _opens = theirOpens;
  await using _execs = theirExecs;
  await using _exits = theirExits;
  await using opens = startTool('opensnoop', ['--json']);
  await using execs = startTool('execsnoop', ['--json']);
  await using exits = startTool('exitsnoop', ['--json']);
  await Promise.all([opens.ready(), execs.ready(), exits.ready()]);
  await using shell = startCommand(['sh', '-c', script()]);
  const { pid } = shell;
  assert.equal((await shell.ended()).code, 0, shell.stderr);
  await theirExits.until(({ stdout }) => new RegExp(`^\\S+ +${pid} `, 'm').test(stdout), 'the end of the shell');
  const ours = await Promise.all([opens.end(), execs.end(), exits.end()]);
  const [openLines, execLines, exitLines] = (await Promise.all(peers.map((peer) => peer.end()))).map(
    ({ stdout }) => stdout,
  ) as [string, string, string];

  // Those of the shell itself: PID COMM FD ERR PATH.
  const ownOpens = ours[0].rows.filter((row) => row.pid === pid);
  const seenOpens = [...openLines.matchAll(/^(\d+) +(\S+) +(-?\d+) +(\d+) (.*)$/gm)]
    .map((match) => match.slice(1))
    .filter(([one]) => one === String(pid));
  assert.ok(ownOpens.length > 10);
  // It reads the path when the call begins, where a page that was never touched is empty to it.
  const withoutPath = new Set(seenOpens.flatMap(([, , , , path], i) => (path === '' ? [i] : [])));
  const fields = ['pid', 'comm', 'fd', 'error', 'path'];
  const both = (rows: readonly (readonly (string | undefined)[])[]) => rows.filter((_, i) => !withoutPath.has(i));
  assert.deepEqual(both(texts(ownOpens, fields, { fd: -1, error: 0 })), both(seenOpens));

  // Those that the shell started: PCOMM PID PPID RET ARGS. It does not quote, ends each with a space, and has the file in
  // the place of the first argument.
  const children = ours[1].rows.filter((row) => row.ppid === pid);
  const seenExecs = [...execLines.matchAll(/^(.{16}) (\d+) +(\d+) +(-?\d+) (.*)$/gm)]
    .map(([, comm = '', one = '', parent = '', result = '', args = '']) => [
      comm.trim(),
      one,
      parent,
      result,
      args.trim(),
    ])
    .filter(([, , parent]) => parent === String(pid));
  assert.ok(children.length > 10);
  assert.deepEqual(
    children.map(({ comm, pid: one, ppid, args }) => [
      comm,
      String(one),
      String(ppid),
      '0',
      (args as string[]).join(' '),
    ]),
    seenExecs.map((row) => row.map((text, i) => (i === 4 ? text.replace(/^\S*\/sh /, 'sh ') : text))),
  );

  // All that ended: PCOMM PID PPID TID AGE EXIT_CODE.
  const ended = ours[2].rows.filter((row) => row.ppid === pid);
  const seenExits = [...exitLines.matchAll(/^(\S+) +(\d+) +(\d+) +(\d+) +[\d.]+ +(.*)$/gm)]
    .map((match) => match.slice(1))
    .filter(([, , parent]) => parent === String(pid));
  assert.ok(ended.length > 20);
  // Versions of it differ in how they call signals.
  const nameless = (rows: readonly (readonly (string | undefined)[])[]) =>
    rows.map((row) => row.map((text) => text?.replace(/ \(.*\)/, '').trim()));
  assert.deepEqual(nameless(texts(ended, ['comm', 'pid', 'ppid', 'tid', 'status'], {})), nameless(seenExits));
});
