import assert from 'node:assert/strict';
import { closeSync, openSync, statSync, unlinkSync, writeFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { Actor } from '../helpers/actor.ts';
import { runTool } from '../helpers/run-tool.ts';
import { TemporaryDirectory } from '../helpers/temporary-directory.ts';

const PR_SET_NAME = 15;

interface Row {
  readonly pid: number;
  readonly fd: number;
  readonly path: string;
  readonly deleted?: true;
  readonly type: string;
  readonly access: string;
  readonly size: number;
  readonly inode: string;
}

async function listed(args: readonly string[]): Promise<Row[]> {
  const { code, messages, stderr } = await runTool('openfiles', ['--json', ...args]);
  assert.equal(code, 0, stderr);
  return messages.filter(({ type }) => type === 'table').flatMap(({ rows }) => rows as Row[]);
}

test('each open descriptor is a row', async () => {
  using place = new TemporaryDirectory();
  const path = (name: string) => join(place.path, name);
  writeFileSync(path('file'), 'twelve bytes');
  writeFileSync(path('gone'), '');
  const fds = [
    openSync(path('file'), 'r'),
    openSync(path('file'), 'r+'),
    openSync(path('gone'), 'w'),
    openSync(place.path, 'r'),
    openSync('/dev/null', 'w'),
  ];
  const inode = String(statSync(path('file')).ino);
  unlinkSync(path('gone'));
  try {
    const own = ['-p', String(process.pid)];
    const rows = await listed(own);
    assert.ok(rows.every(({ pid }) => pid === process.pid));
    assert.equal(new Set(rows.map(({ fd }) => fd)).size, rows.length);
    const found = fds.map((fd) => rows.find((row) => row.fd === fd));
    assert.deepEqual(
      found.map((row) => [row?.path, row?.type, row?.access, row?.deleted]),
      [
        [path('file'), 'reg', 'r', undefined],
        [path('file'), 'reg', 'rw', undefined],
        [path('gone'), 'reg', 'w', true],
        [place.path, 'dir', 'r', undefined],
        ['/dev/null', 'chr', 'w', undefined],
      ],
    );
    assert.deepEqual([found[0]?.size, found[0]?.inode], [12, inode]);
    assert.deepEqual(
      (await listed([...own, '-x', '-t', 'reg'])).map(({ fd }) => fd),
      [fds[2]],
    );
    assert.deepEqual(
      (await listed(['-n', place.path])).map(({ pid, fd }) => [pid, fd]),
      fds.slice(0, 4).map((fd) => [process.pid, fd]),
    );
    const masked = async (mask: number) =>
      (await listed([...own, '--type-mask', String(mask)])).flatMap(({ fd }) => (fds.includes(fd) ? [fd] : []));
    assert.deepEqual(await masked(17), fds.slice(0, 4));
    assert.deepEqual(await masked(32), fds.slice(4));
    // Node waits with epoll and is woken by an eventfd.
    const waits = await listed([...own, '--type-mask', String((1 << 10) | (1 << 13))]);
    assert.deepEqual([...new Set(waits.map(({ path }) => path))].sort(), ['[eventfd]', '[eventpoll]']);
    assert.ok(waits.every(({ type }) => type === 'anon'));
    const { stdout } = await runTool('openfiles', [...own, '-s', '-n', path('gone')]);
    assert.match(stdout, /^ *PID +COMM +UID +FD +TYPE +RW +SIZE +POS +PATH\n/);
    assert.ok(stdout.endsWith(`${path('gone')} (deleted)\n`), stdout);
  } finally {
    fds.forEach(closeSync);
  }
});

test('commands are chosen as the kernel names them, and users by name', async () => {
  await using actor = await Actor.start();
  const name = `files-of-${process.pid}-that-are-open`;
  await actor.mustCall('prctl', PR_SET_NAME, name);
  const pids = async (...args: string[]) => [...new Set((await listed(args)).map(({ pid }) => pid))];
  assert.deepEqual(await pids('--comm', name), [actor.pid]);
  assert.deepEqual(await pids('--comm', name.slice(0, 14)), []);
  assert.deepEqual(await pids('--comm', name, '-u', userInfo().username), [actor.pid]);
  assert.deepEqual(await pids('--comm', name, '-u', '4294967294'), []);
});
