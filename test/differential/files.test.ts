import assert from 'node:assert/strict';
import { closeSync, fsyncSync, openSync, readFileSync, readSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { Actor } from '../helpers/actor.ts';
import { distributionsIn } from '../helpers/distribution.ts';
import { readAll, writeAll } from '../helpers/file-calls.ts';
import { directoriesByType } from '../helpers/file-systems.ts';
import { LoopDisk } from '../helpers/loop-disk.ts';
import { startBpftrace, startPeer } from '../helpers/peer.ts';
import { startTool, type ToolResult } from '../helpers/run-tool.ts';
import { TemporaryDirectory } from '../helpers/temporary-directory.ts';

const MANY = 40;

test('files that are asked about: what bpftrace sees', async (t) => {
  using place = new TemporaryDirectory();
  const path = join(place.path, 'there');
  writeFileSync(path, 'text');
  await using actor = await Actor.start();
  // That of libbpf-tools prints nothing.
  const kinds = { stat: ['newstat', 'filename'], lstat: ['newlstat', 'filename'], statfs: ['statfs', 'pathname'] };
  const probes = Object.entries(kinds).map(
    ([shown, [name, field]]) => `
      t:syscalls:sys_enter_${name} /pid == ${actor.pid}/ { @path[tid] = args->${field}; }
      t:syscalls:sys_exit_${name} /pid == ${actor.pid}/
      { printf("%d %s ${shown} %d %s\\n", pid, comm, args->ret, str(@path[tid])); }`,
  );
  await using peer = await startBpftrace(t, probes.join(''));
  if (peer === undefined) {
    return;
  }
  await using tool = startTool('statsnoop', ['--json', '-p', String(actor.pid)]);
  await tool.ready();
  const about = Buffer.alloc(256);
  await actor.perform(
    Array.from({ length: MANY }, (_, i) => ({
      name: (['stat', 'lstat', 'statfs'] as const)[i % 3] ?? 'stat',
      args: [i % 4 === 0 ? `${path}-${i}` : path, about],
    })),
  );
  const theirs = () => peer.stdout.split('\n').filter((line) => line.startsWith(`${actor.pid} `));
  await peer.until(() => theirs().length >= MANY, 'the last call');
  const { rows } = await tool.end();
  const ENOENT = 2;
  assert.deepEqual(
    rows.map(({ pid, comm, syscall, error, path: asked }) =>
      [pid, comm, syscall, error === undefined ? 0 : -ENOENT, asked].join(' '),
    ),
    theirs(),
  );
});

test('requests of a disk: what biosnoop of libbpf-tools sees', async (t) => {
  using disk = new LoopDisk();
  await using peer = await startPeer(t, 'biosnoop', ['-d', disk.name]);
  if (peer === undefined) {
    return;
  }
  await using tool = startTool('biosnoop', ['--json', '-d', disk.name]);
  await tool.ready();
  disk.read(20, 4096);
  disk.write(10, 8192);
  await peer.until(({ stdout }) => (stdout.match(/ W /g)?.length ?? 0) >= 10, 'the last request');
  const { rows } = await tool.end();
  const { stdout } = await peer.end();
  // TIME(s) COMM PID DISK T SECTOR BYTES LAT(ms)
  const theirs = [...stdout.matchAll(/^[\d.]+ +(\S+) +(\d+) +(\S+) +(\w+) +(\d+) +(\d+) +[\d.]+$/gm)].map(
    ([, comm, pid, name, kind = '', sector, bytes]) => [comm, pid, name, kind[0], sector, bytes],
  );
  const ours = rows.map(({ comm, pid, disk: name, operation, sector, bytes }) =>
    [comm, pid, name, String(operation)[0], sector, bytes].map(String),
  );
  assert.ok(ours.length >= 30);
  assert.deepEqual(ours, theirs);
});

test('requests of a disk: what bpftrace sees of those that biosnoop shows', async (t) => {
  using disk = new LoopDisk();
  const [major = 0, minor = 0] = readFileSync(`/sys/block/${disk.name}/dev`, 'utf8').split(':').map(Number);
  await using peer = await startBpftrace(
    t,
    `t:block:block_rq_complete /args->dev == ${(major << 20) | minor}/
    { printf("%s %d %d\\n", args->rwbs, args->sector, args->nr_sector * 512); }`,
  );
  if (peer === undefined) {
    return;
  }
  await using tool = startTool('biosnoop', ['--json', '-d', disk.name]);
  await tool.ready();
  disk.read(20, 4096);
  disk.write(10, 8192);
  const theirs = () => peer.stdout.split('\n').filter((line) => /^[RW]/.test(line));
  await peer.until(() => theirs().length >= 30, 'the last request');
  const { rows } = await tool.end();
  assert.deepEqual(
    rows.map(({ operation, sector, bytes }) => [String(operation)[0], sector, bytes].join(' ')),
    theirs().map((line) => line.replace(/^(.)\S*/, '$1')),
  );
});

/** Calls that lines of 'TIME: READ/s WRITE/s FSYNC/s OPEN/s CREATE/s' tell, all of them together, by kind. */
function callsPrinted({ stdout }: { readonly stdout: string }): number[] {
  const lines = [...stdout.matchAll(/^[\d:]+: +(\d[\d ]*)$/gm)].map(([, numbers = '']) =>
    numbers.split(/ +/).map(Number),
  );
  return [0, 1, 3].map((at) => lines.reduce((sum, line) => sum + (line[at] ?? 0), 0));
}

function callsCounted({ messages }: ToolResult): number[] {
  const rows = messages
    .filter(({ type }) => type === 'table')
    .flatMap((table) => table.rows as Record<string, number>[]);
  return ['reads', 'writes', 'opens'].map((name) => rows.reduce((sum, row) => sum + (row[name] ?? 0), 0));
}

const noneAbove = (few: readonly number[], many: readonly number[]) => few.every((count, i) => count <= (many[i] ?? 0));

// Machines are never quite silent: whoever traces longer has seen at least as much. That of libbpf-tools does not count
// vectors, nor most calls of fsync: compilers put vfs_fsync into its callers.
for (const outer of ['ours', 'theirs'] as const) {
  test(`calls of files: no more than vfsstat of libbpf-tools counts around ours, or ours around it: ${outer}`, async (t) => {
    using place = new TemporaryDirectory();
    const path = join(place.path, 'file');
    const own = outer === 'ours' ? [] : ['-p', String(process.pid)];
    const theirs = () => startPeer(t, 'vfsstat', ['1']);
    const ours = () => startTool('vfsstat', ['--json', ...own, '60']);
    await using first = outer === 'theirs' ? await theirs() : ours();
    if (first === undefined) {
      return;
    }
    await (outer === 'ours' && first.ready());
    await using second = outer === 'ours' ? await theirs() : ours();
    if (second === undefined) {
      return;
    }
    const [tool, peer] = outer === 'ours' ? [first, second] : [second, first];
    await tool.ready();
    const fd = openSync(path, 'w+');
    const byte = Buffer.alloc(1);
    for (let i = 0; i < MANY; i++) {
      writeSync(fd, byte);
      readSync(fd, byte, 0, 1, 0);
      closeSync(openSync(path, 'r'));
    }
    closeSync(fd);
    const done = [MANY, MANY, MANY + 1];
    if (outer === 'ours') {
      await peer.until((seen) => noneAbove(done, callsPrinted(seen)), 'the calls');
      const printed = callsPrinted(await peer.end());
      const counted = callsCounted(await tool.end());
      assert.ok(noneAbove(printed, counted), `${printed} inside of ${counted}`);
    } else {
      const counted = callsCounted(await tool.end());
      assert.ok(noneAbove(done, counted), String(counted));
      await peer.until((seen) => noneAbove(counted, callsPrinted(seen)), `at least ${counted} calls`);
    }
  });
}

for (const [type, parent] of directoriesByType()) {
  if (type === 'tmpfs') {
    // Theirs does not know it.
    continue;
  }
  test(`operations of ${type}: as many as fsdist of libbpf-tools counts`, async (t) => {
    using place = new TemporaryDirectory(parent);
    const own = ['-p', String(process.pid), '-t', type];
    await using peer = await startPeer(t, 'fsdist', own);
    if (peer === undefined) {
      return;
    }
    await using tool = startTool('fsdist', ['--json', ...own]);
    await tool.ready();
    const fd = openSync(join(place.path, 'file'), 'w+');
    for (let i = 0; i < MANY; i++) {
      writeAll(fd, 100);
      readAll(fd, 100);
      fsyncSync(fd);
      readFileSync(join(place.path, 'file'));
    }
    closeSync(fd);
    const [ours, theirs] = await Promise.all([tool.end(), peer.end()]);
    const printed = [...theirs.stdout.matchAll(/^operation = '?(\w+)'?\n((?:.+\n)*)/gm)].map(([, name, bars = '']) => [
      name,
      [...bars.matchAll(/: (\d+) /g)].reduce((sum, [, count]) => sum + Number(count), 0),
    ]);
    const counts = (entries: Iterable<readonly unknown[]>) =>
      Object.fromEntries([...entries].filter(([name]) => ['read', 'write', 'open', 'fsync'].includes(String(name))));
    const counted = counts(distributionsIn(ours.messages).map(({ operation, count }) => [operation, count]));
    assert.deepEqual(counted, counts(printed));
    assert.ok(Number(counted.write) === 5 * MANY && Number(counted.fsync) === MANY, JSON.stringify(counted));
  });
}
