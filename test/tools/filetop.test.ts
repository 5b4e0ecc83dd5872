import assert from 'node:assert/strict';
import { closeSync, mkdirSync, openSync, readSync, statSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { Actor } from '../helpers/actor.ts';
import { KINDS, readAll, writeAll } from '../helpers/file-calls.ts';
import { runTool, type ToolResult } from '../helpers/run-tool.ts';
import { mustSyscall, syscall } from '../helpers/syscall.ts';
import { commOf } from '../helpers/task-fields.ts';
import { TemporaryDirectory } from '../helpers/temporary-directory.ts';
import { watch } from '../helpers/watch.ts';

const O_CREAT = 0o100;
const O_RDWR = 2;
const AT_FDCWD = -100;
const CLONE_NEWNS = 0x20000;
const MS_REC_PRIVATE = 0x44000;

interface FileRow {
  readonly inode: string;
  readonly pid: number;
  readonly tid: number;
  readonly comm: string;
  readonly reads: number;
  readonly writes: number;
  readonly rbytes: number;
  readonly wbytes: number;
  readonly bytes: number;
  readonly type: string;
  readonly file: string;
  readonly path: string;
}

function filesOf({ messages }: ToolResult): FileRow[] {
  return messages.filter(({ type }) => type === 'table').flatMap(({ rows }) => rows as FileRow[]);
}

function amounts({ reads, writes, rbytes, wbytes }: FileRow): number[] {
  return [reads, writes, rbytes, wbytes];
}

test('every kind of read and write counts once, with the bytes that it moved', async () => {
  using place = new TemporaryDirectory();
  const path = join(place.path, 'file');
  const empty = join(place.path, 'empty');
  writeFileSync(empty, '');
  const other = join(place.path, 'copy\u001b[31m');
  const own = ['60', '--json', '-p', String(process.pid), '-d', place.path];
  const seen = await watch(
    'filetop',
    {
      all: own,
      reads: [...own, '--read-only'],
      writes: [...own, '--write-only'],
      first: [...own, '-s', 'reads', '-r', '1'],
      stranger: ['60', '--json', '-p', String(process.ppid), '-d', place.path],
      text: ['60', '-C', '-p', String(process.pid), '-d', place.path, '-s', 'all'],
      paths: ['60', '--noclear', '-p', String(process.pid), '-d', place.path, '-F'],
    },
    () => {
      const fd = openSync(path, 'w+');
      writeAll(fd, 3000);
      readAll(fd, 2000);
      // Half of what is asked for is there, and then nothing.
      assert.equal(readSync(fd, Buffer.alloc(4096), 0, 4096, 5000), 1000);
      assert.equal(readSync(fd, Buffer.alloc(4096), 0, 4096, 6000), 0);
      const target = openSync(other, 'w');
      assert.equal(syscall('read', target, Buffer.alloc(10), 10), -9);
      writeSync(target, 'abc');
      // No read and no write, although it does both.
      assert.equal(mustSyscall('sendfile', target, fd, 0, 100), 100);
      const none = openSync(empty, 'r');
      for (let i = 0; i < 20; i++) {
        readSync(none, Buffer.alloc(10));
      }
      closeSync(none);
      closeSync(target);
      closeSync(fd);
      assert.equal(statSync(path).size, 6000);
    },
  );
  const [file, copy, nothing, ...rest] = filesOf(seen.all);
  assert.ok(file !== undefined && copy !== undefined && nothing !== undefined);
  assert.deepEqual(rest, []);
  assert.deepEqual(amounts(file), [KINDS + 2, KINDS, KINDS * 2000 + 1000, KINDS * 3000]);
  assert.deepEqual(amounts(copy), [1, 1, 0, 3]);
  assert.deepEqual(amounts(nothing), [20, 0, 0, 0]);
  assert.deepEqual(
    { ...file, reads: 0, writes: 0, rbytes: 0, wbytes: 0, dev: undefined },
    {
      inode: String(statSync(path).ino),
      dev: undefined,
      pid: process.pid,
      tid: process.pid,
      comm: commOf(process.pid),
      reads: 0,
      writes: 0,
      rbytes: 0,
      wbytes: 0,
      bytes: KINDS * 5000 + 1000,
      type: 'R',
      file: 'file',
      path,
    },
  );
  assert.equal(copy.file, 'copy\\x1b[31m');
  assert.deepEqual(
    new Map(filesOf(seen.reads).map((row) => [row.file, amounts(row)])),
    new Map([file, copy, nothing].map((row) => [row.file, [row.reads, 0, row.rbytes, 0]])),
  );
  assert.deepEqual(filesOf(seen.writes).map(amounts), [
    [0, KINDS, 0, KINDS * 3000],
    [0, 1, 0, 3],
  ]);
  assert.deepEqual(
    filesOf(seen.first).map(({ reads }) => reads),
    [20],
  );
  assert.deepEqual(filesOf(seen.stranger), []);

  const [head = '', names = '', line = '', ...lines] = seen.text.stdout.trimEnd().split('\n');
  assert.match(head, /^\d\d:\d\d:\d\d loadavg: [\d.]+ [\d.]+ [\d.]+ \d+\/\d+ \d+$/);
  assert.deepEqual(names.trim().split(/ +/), ['TID', 'COMM', 'READS', 'WRITES', 'R_Kb', 'W_Kb', 'T', 'FILE']);
  assert.match(line, new RegExp(`^ *${process.pid} \\S+ +${KINDS + 2} +${KINDS} +10 +14 R file$`));
  assert.equal(lines.length, 2);
  assert.ok(seen.paths.stdout.includes(` R ${path}\n`));
});

test('a directory is one with everything below it, whatever is mounted there', async () => {
  using place = new TemporaryDirectory();
  using elsewhere = new TemporaryDirectory();
  const deep = join(place.path, ...Array.from({ length: 30 }, (_, i) => `${i}`.padEnd(60, '-')));
  const mounted = join(place.path, 'mounted');
  mkdirSync(deep, { recursive: true });
  mkdirSync(mounted);
  await using actor = await Actor.start();
  const write = async (path: string, bytes: number) => {
    const fd = await actor.mustCall('openat', AT_FDCWD, path, O_CREAT | O_RDWR, 0o600);
    await actor.mustCall('write', fd, Buffer.alloc(bytes), bytes);
    await actor.mustCall('close', fd);
  };
  await actor.mustCall('unshare', CLONE_NEWNS);
  await actor.mustCall('mount', 'none', '/', 'none', MS_REC_PRIVATE, 0);
  await actor.mustCall('mount', 'none', mounted, 'tmpfs', 0, 0);
  const pid = String(actor.pid);
  const seen = await watch(
    'filetop',
    {
      below: ['60', '--json', '-p', pid, '-d', place.path],
      mounted: ['60', '--json', '-p', pid, '-d', `${mounted}/../mounted/..`],
      all: ['60', '--json', '-p', pid, '--write-only'],
    },
    async () => {
      await write(join(place.path, 'top'), 1);
      await write(join(deep, 'deep'), 20);
      await write(join(mounted, 'other'), 300);
      await write(join(elsewhere.path, 'elsewhere'), 4000);
    },
  );
  const inside = ['other', 'deep', 'top'];
  assert.deepEqual(
    filesOf(seen.below).map(({ file, wbytes }) => [file, wbytes]),
    inside.map((file, i) => [file, [300, 20, 1][i]]),
  );
  assert.deepEqual(filesOf(seen.mounted), filesOf(seen.below));
  const all = filesOf(seen.all);
  assert.deepEqual(
    all.map(({ file }) => file),
    ['elsewhere', ...inside],
  );
  assert.equal(all.find(({ file }) => file === 'other')?.path, join(mounted, 'other'));
  // Of what is too long, the end is kept, in whole names.
  const kept = all.find(({ file }) => file === 'deep')?.path ?? '';
  assert.ok(kept.startsWith('.../') && kept.length > 900 && kept.length < 1024, kept);
  assert.ok(join(deep, 'deep').endsWith(kept.slice(3)), kept);
});

test('threads are told apart, and so are files that are none', async () => {
  using place = new TemporaryDirectory();
  await using actor = await Actor.start({ threads: 2 });
  const [, second = 0, third = 0] = actor.tids;
  const fd = await actor.mustCall('openat', AT_FDCWD, join(place.path, 'shared'), O_CREAT | O_RDWR, 0o600);
  const socket = await actor.mustCall('socket', 2, 2, 0);
  const pipes = (await actor.ask(0, 'pipe2', new Uint8Array(8), 0)).args[0] as Uint8Array;
  const [from = 0, to = 0] = new Int32Array(Uint8Array.from(pipes).buffer);
  const seen = await watch(
    'filetop',
    { regular: ['60', '--json', '-p', String(actor.pid)], all: ['60', '--json', '-t', String(second), '-a'] },
    async () => {
      await actor.ask(1, 'write', fd, Buffer.alloc(10), 10);
      await actor.ask(2, 'write', fd, Buffer.alloc(10), 10);
      await actor.ask(2, 'pwrite64', fd, Buffer.alloc(10), 10, 0);
      await actor.ask(1, 'write', to, Buffer.alloc(7), 7);
      await actor.ask(1, 'read', from, Buffer.alloc(7), 7);
      await actor.ask(1, 'write', socket, Buffer.alloc(5), 5);
    },
  );
  const regular = filesOf(seen.regular).filter(({ file }) => file === 'shared');
  assert.deepEqual(
    regular.map(({ tid, writes, wbytes }) => [tid, writes, wbytes]),
    [
      [third, 2, 20],
      [second, 1, 10],
    ],
  );
  const kinds = filesOf(seen.all).filter(({ type, file }) => type !== 'O' || file === 'pipefs');
  assert.deepEqual(kinds.map((row) => [row.type, row.file, ...amounts(row)]).sort(), [
    ['O', 'pipefs', 1, 1, 7, 7],
    ['R', 'shared', 0, 1, 0, 10],
    ['S', 'UDP', 0, 1, 0, 0],
  ]);
});

test('what is no directory is wrong usage', async () => {
  const { code, stderr } = await runTool('filetop', ['-d', '/etc/passwd']);
  assert.equal(code, 2);
  assert.match(stderr, /'\/etc\/passwd' is not a directory/);
});
