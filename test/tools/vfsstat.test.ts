import assert from 'node:assert/strict';
import {
  closeSync,
  fdatasyncSync,
  fsyncSync,
  mkdirSync,
  openSync,
  rmdirSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { probeFeature } from '../../lib/bpf/features.ts';
import { Actor } from '../helpers/actor.ts';
import { KINDS, readAll, writeAll } from '../helpers/file-calls.ts';
import { runTool, startCommand, type ToolResult } from '../helpers/run-tool.ts';
import { TemporaryDirectory } from '../helpers/temporary-directory.ts';
import { watch } from '../helpers/watch.ts';

const names = ['reads', 'writes', 'fsyncs', 'opens', 'creates', 'unlinks', 'mkdirs', 'rmdirs'] as const;
const S_IFREG = 0o100000;
const S_IFIFO = 0o010000;
const AT_FDCWD = -100;

type Counts = Readonly<Record<(typeof names)[number], number>>;

function countsOf({ messages }: ToolResult): Counts {
  const rows = messages.filter(({ type }) => type === 'table').flatMap((table) => table.rows as Counts[]);
  return Object.fromEntries(names.map((name) => [name, rows.reduce((sum, row) => sum + row[name], 0)])) as Counts;
}

test('each call counts once, also the creation of a file that is opened', async () => {
  using place = new TemporaryDirectory();
  const at = (name: string) => join(place.path, name);
  writeFileSync(at('there'), 'text');
  const own = ['--json', '-p', String(process.pid)];
  const seen = await watch(
    'vfsstat',
    {
      all: [...own, '60'],
      stranger: ['--json', '-p', String(process.ppid), '--comm', 'no such', '60'],
      text: ['-p', String(process.pid), '60'],
    },
    () => {
      const fd = openSync(at('made'), 'w+');
      writeAll(fd, 100);
      readAll(fd, 100);
      fsyncSync(fd);
      fsyncSync(fd);
      fdatasyncSync(fd);
      closeSync(fd);
      closeSync(openSync(at('there'), 'a'));
      assert.throws(() => openSync(at('missing'), 'r'));
      for (let i = 0; i < 7; i++) {
        mkdirSync(at(`directory-${i}`));
      }
      for (let i = 0; i < 6; i++) {
        rmdirSync(at(`directory-${i}`));
      }
      assert.throws(() => mkdirSync(at('directory-6')));
      assert.throws(() => unlinkSync(at('missing')));
      unlinkSync(at('made'));
      unlinkSync(at('there'));
    },
  );
  const { reads, writes, ...others } = countsOf(seen.all);
  // This process also reads what the tools print.
  assert.ok(reads >= KINDS && writes >= KINDS, `${reads} reads, ${writes} writes`);
  assert.deepEqual(others, {
    fsyncs: 3,
    opens: 2,
    creates: 1,
    unlinks: 2,
    mkdirs: 7,
    rmdirs: 6,
  });
  assert.deepEqual(
    Object.values(countsOf(seen.stranger)),
    names.map(() => 0),
  );
  const [header = '', line = '', ...rest] = seen.text.stdout.trimEnd().split('\n');
  assert.deepEqual(
    header.trim().split(/ +/),
    ['READ', 'WRITE', 'FSYNC', 'OPEN', 'CREATE', 'UNLINK', 'MKDIR', 'RMDIR'].map((name) => `${name}/s`),
  );
  assert.deepEqual(rest, []);
  // What was counted in about so many seconds.
  const tables = seen.all.messages.filter(({ type }) => type === 'table');
  const [{ period } = { period: 0 }] = tables.flatMap(({ rows }) => rows as { period: number }[]);
  const mkdirs = Number(line.trim().split(/ +/)[6]);
  assert.ok(Math.abs(mkdirs - (7 * 1e9) / period) <= 2 + mkdirs / 2, `${mkdirs} a second in ${period} ns`);
});

test('removals by unlinkat(2), files of mknod(2), and what only functions see', async () => {
  using place = new TemporaryDirectory();
  await using actor = await Actor.start();
  const at = (name: string) => join(place.path, name);
  const seen = await watch('vfsstat', { all: ['--json', '-p', String(actor.pid), '60'] }, async () => {
    await actor.mustCall('mknodat', AT_FDCWD, at('file'), S_IFREG | 0o600, 0);
    await actor.mustCall('mknodat', AT_FDCWD, at('pipe'), S_IFIFO | 0o600, 0);
    await actor.mustCall('mkdirat', AT_FDCWD, at('directory'), 0o700);
    await actor.mustCall('mkdirat', AT_FDCWD, at('directory/below'), 0o700);
    assert.equal(await actor.call('unlinkat', AT_FDCWD, at('directory'), 0x200), -39);
    await actor.mustCall('unlinkat', AT_FDCWD, at('directory/below'), 0x200);
    await actor.mustCall('unlinkat', AT_FDCWD, at('directory'), 0x200);
    await actor.mustCall('unlinkat', AT_FDCWD, at('file'), 0);
    await actor.mustCall('unlinkat', AT_FDCWD, at('pipe'), 0);
  });
  const functions = probeFeature('fentry').supported === true || probeFeature('kprobe').supported === true;
  const { creates, unlinks, mkdirs, rmdirs } = countsOf(seen.all);
  // A function also counts where it fails, as for a directory that is not empty.
  assert.deepEqual([creates, unlinks, mkdirs, rmdirs], [1, 2, 2, functions ? 3 : 2]);
});

/** What a process counts that copies so many blocks, and starts and ends as any other that does. */
async function copying(blocks: number): Promise<Counts> {
  const script = 'read line; exec dd if=/dev/zero of=/dev/null bs=1 count="$0"';
  await using shell = startCommand(['/bin/sh', '-c', script, String(blocks)], { stdio: ['pipe', 'pipe', 'pipe'] });
  const seen = await watch('vfsstat', { all: ['--json', '-p', String(shell.pid), '60'] }, async () => {
    shell.process.stdin?.write('\n');
    await shell.ended();
  });
  return countsOf(seen.all);
}

test('no read and no write is missed or counted twice', async () => {
  const [few, many] = [await copying(100), await copying(5100)];
  assert.deepEqual([many.reads - few.reads, many.writes - few.writes], [5000, 5000]);
});

test('an interval without any call has a line too', async () => {
  const { code, stdout } = await runTool('vfsstat', ['-p', '4194000', '0.1', '3']);
  assert.equal(code, 0);
  assert.equal(stdout.match(/^( +0){8}$/gm)?.length, 3);
});
