import assert from 'node:assert/strict';
import {
  closeSync,
  constants,
  existsSync,
  fdatasyncSync,
  fsyncSync,
  openSync,
  readFileSync,
  statSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { probeFeature } from '../../lib/bpf/features.ts';
import type { AttachedHook } from '../../lib/model/message.ts';
import { Actor } from '../helpers/actor.ts';
import { inVirtualMachine } from '../helpers/deadline.ts';
import { distributionsIn } from '../helpers/distribution.ts';
import { KINDS, readAll, writeAll } from '../helpers/file-calls.ts';
import { directoriesByType } from '../helpers/file-systems.ts';
import { FuseFolder } from '../helpers/fuse.ts';
import { LoopDisk } from '../helpers/loop-disk.ts';
import { NfsFolder } from '../helpers/nfs.ts';
import { runTool, type ToolResult } from '../helpers/run-tool.ts';
import { TemporaryDirectory } from '../helpers/temporary-directory.ts';
import { watch } from '../helpers/watch.ts';

const SYNCED = 4;

function counts({ messages }: ToolResult): Record<string, number> {
  return Object.fromEntries(distributionsIn(messages).map(({ operation, count }) => [String(operation), count]));
}

/** Whether functions of the file system are measured, and not system calls. */
function byFunctions({ messages }: ToolResult): boolean {
  const { hooks } = messages.find(({ type }) => type === 'ready') as unknown as { hooks: readonly AttachedHook[] };
  return hooks.some(({ program, hook }) => program.startsWith('read__') && /^(fexit|kretprobe) /.test(hook));
}

/** A known number of each operation in a file. */
function work(path: string): void {
  const fd = openSync(path, 'w+');
  writeAll(fd, 3000);
  readAll(fd, 2000);
  fsyncSync(fd);
  fdatasyncSync(fd);
  closeSync(fd);
  closeSync(openSync(path, 'r'));
  assert.throws(() => openSync(`${path}-missing`, 'r'));
  const synced = openSync(path, constants.O_WRONLY | constants.O_SYNC);
  for (let i = 0; i < SYNCED; i++) {
    writeSync(synced, 'text');
  }
  closeSync(synced);
  for (let i = 0; i < 6; i++) {
    statSync(path);
  }
}

/** One that has the same functions, or just another one. */
const others: Readonly<Record<string, string>> = { ext4: 'xfs', fuse: 'virtiofs', virtiofs: 'fuse' };

/** Does the work in a folder, and says that each operation is there once. */
async function countsWork(type: string, parent: string): Promise<void> {
  using place = new TemporaryDirectory(parent);
  await using stranger = await Actor.start();
  const path = join(place.path, 'file');
  const own = ['--json', '-p', String(process.pid)];
  const other = others[type] ?? 'ext4';
  const start = performance.now();
  const seen = await watch(
    'fsdist',
    {
      all: [...own, '-t', type],
      milliseconds: [...own, '--type', type, '-m'],
      other: [...own, '-t', other],
      stranger: ['--json', '-p', String(stranger.pid), '-t', type],
    },
    () => work(path),
  );
  const took = (performance.now() - start) * 1000;
  const functions = byFunctions(seen.all);
  if (type !== 'tmpfs') {
    const traceable = probeFeature('fexit').supported === true || probeFeature('kprobe').supported === true;
    const known = { nfs: 'nfs_file_read', virtiofs: 'fuse_file_read_iter' }[type] ?? `${type}_file_read_iter`;
    // Read again each time: a file system may have been loaded since.
    const there = new RegExp(`^\\S+ [tT] ${known}\\s`, 'm').test(readFileSync('/proc/kallsyms', 'latin1'));
    assert.equal(functions, traceable && there);
  }
  assert.deepEqual(counts(seen.all), {
    read: KINDS,
    write: KINDS + SYNCED,
    open: 3,
    // A synchronous write ends with an fsync, but not where FUSE caches nothing: virtiofs of the guests is served so.
    fsync: functions && type !== 'virtiofs' ? 2 + SYNCED : 2,
    ...(functions && { getattr: 6 }),
  });
  for (const { unit, total } of distributionsIn(seen.all.messages)) {
    assert.equal(unit, 'usecs');
    assert.ok(total > 0 && total < took, `${total} µs`);
  }
  assert.deepEqual(counts(seen.milliseconds), counts(seen.all));
  assert.ok(distributionsIn(seen.milliseconds.messages).every(({ unit }) => unit === 'msecs'));
  assert.deepEqual(counts(seen.other), {});
  assert.deepEqual(counts(seen.stranger), {});
}

for (const [type, parent] of directoriesByType()) {
  test(`the operations of ${type} are counted once each, also one that is part of another`, () =>
    countsWork(type, parent));
}

test('the operations of nfs are counted once each, also an open that is part of a lookup', async (t) => {
  using folder = NfsFolder.mount(t);
  if (folder !== undefined) {
    await countsWork('nfs', folder.path);
  }
});

test('the operations of fuse are counted once each, and not those of others that have its functions', async (t) => {
  await using folder = await FuseFolder.mount(t);
  if (folder !== undefined) {
    await countsWork('fuse', folder.path);
  }
});

test('a file system of user space that is on a disk is one of fuse', async (t) => {
  using disk = new LoopDisk();
  await using folder = await FuseFolder.mount(t, disk.path);
  if (folder !== undefined) {
    await countsWork('fuse', folder.path);
  }
});

if (inVirtualMachine) {
  test('the operations of virtiofs are counted once each, and not those of others that have its functions', () =>
    countsWork('virtiofs', '/mnt/job'));
}

test('a command of the file system is the tool for it', async () => {
  const [[type, parent] = ['', '']] = [...directoriesByType()].filter(([type]) => type !== 'tmpfs');
  assert.ok(existsSync(parent));
  using place = new TemporaryDirectory(parent);
  const { text } = await watch(`${type}dist`, { text: ['-p', String(process.pid)] }, () =>
    closeSync(openSync(join(place.path, 'file'), 'w')),
  );
  assert.match(text.stdout, /^operation = open\n +usecs +: count +distribution\n(.*\n)*.*: 1 +\|\*+\|/);
});

test('the kind of file system must be given', async () => {
  const { code, stderr } = await runTool('fsdist', []);
  assert.equal(code, 2);
  assert.match(stderr, /no kind of file system is given/);
});
