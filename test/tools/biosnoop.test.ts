import assert from 'node:assert/strict';
import { closeSync, constants, fsyncSync, openSync, writeSync } from 'node:fs';
import { test } from 'node:test';
import { TestCgroup } from '../helpers/cgroup.ts';
import { LoopDisk } from '../helpers/loop-disk.ts';
import { runTool, type ToolResult } from '../helpers/run-tool.ts';
import { watch } from '../helpers/watch.ts';

const columns = ({ rows }: ToolResult, ...names: string[]) => rows.map((row) => names.map((name) => row[name]));

test('a line for each request: who, where, how much', async () => {
  using disk = new LoopDisk();
  using other = new LoopDisk();
  using group = new TestCgroup();
  const own = ['--json', '-d', disk.name];
  const start = performance.now();
  const seen = await watch(
    'biosnoop',
    {
      plain: own,
      stranger: [...own, '--comm', 'no such'],
      slow: [...own, '-m', '1000000'],
      cgroup: [...own, '-c', group.path],
      both: ['--json', '--comm', 'dd'],
    },
    () => {
      disk.read(5, 4096);
      disk.write(3, 8192);
      disk.readIn(group.path, 2, 512);
      other.read(1, 512);
    },
  );
  const took = performance.now() - start;
  const expected = [
    ...[0, 8, 16, 24, 32].map((sector) => ['dd', 'Read', sector, 4096, sector === 0 ? 'unknown' : 'sequential']),
    ...[0, 16, 32].map((sector) => ['dd', 'Write', sector, 8192, sector === 0 ? 'unknown' : 'sequential']),
    ['dd', 'Read', 0, 512, 'random'],
    ['dd', 'Read', 1, 512, 'sequential'],
  ];
  const fields = ['comm', 'operation', 'sector', 'bytes', 'pattern'];
  assert.deepEqual(columns(seen.plain, ...fields), expected);
  assert.deepEqual(columns(seen.cgroup, 'sector', 'bytes'), [
    [0, 512],
    [1, 512],
  ]);
  assert.deepEqual(seen.stranger.rows, []);
  assert.deepEqual(seen.slow.rows, []);
  // The program itself may have to be read, too.
  const disks = columns(seen.both, 'disk').flat();
  assert.deepEqual(
    disks.filter((name) => name === disk.name || name === other.name),
    [...Array<string>(10).fill(disk.name), other.name],
  );
  assert.equal(new Set(columns(seen.plain, 'pid').flat()).size, 3, 'three processes');
  for (const { pid, latency, queued, request, failed, disk: name } of seen.plain.rows) {
    assert.ok(Number(pid) > 0 && name === disk.name && failed === undefined);
    assert.ok(Number(latency) > 0 && Number(queued) >= 0);
    assert.ok(Number(latency) + Number(queued) < took * 1e6);
    assert.match(String(request), /(Read|Sync-.*Write)$/);
  }
});

test('a disk that is made while the tool runs has its name', async () => {
  let name = '';
  const { own } = await watch('biosnoop', { own: ['--json', '--comm', 'dd'] }, () => {
    using disk = new LoopDisk();
    name = disk.name;
    disk.read(3, 4096);
  });
  // The program itself may have to be read, too, and others may run it.
  const rows = columns(own, 'disk', 'sector', 'bytes').filter(([disk]) => disk === name);
  assert.deepEqual(
    rows,
    [0, 8, 16].map((sector) => [name, sector, 4096]),
  );
});

test('a flush is at no place, and does not disturb what is around it', async () => {
  using disk = new LoopDisk();
  const { own, text } = await watch(
    'biosnoop',
    { own: ['--json', '-d', disk.name], text: ['-P', '-d', disk.name] },
    () => {
      const fd = openSync(disk.path, constants.O_WRONLY);
      // What was written to the page cache is one request, whoever makes it; then comes the flush.
      for (let block = 0; block < 3; block++) {
        writeSync(fd, Buffer.alloc(4096), 0, 4096, block * 4096);
        fsyncSync(fd);
      }
      closeSync(fd);
    },
  );
  assert.deepEqual(
    columns(own, 'operation', 'sector', 'bytes', 'pattern'),
    [0, 8, 16].flatMap((sector) => [
      ['Write', sector, 4096, sector === 0 ? 'unknown' : 'sequential'],
      ['Flush', 0, 0, 'unknown'],
    ]),
  );
  assert.equal(text.stdout.split('\n').length, 8);
});

test('what is merged is one request, of all its bytes, where the first of them are', async () => {
  using disk = new LoopDisk();
  const { own } = await watch('biosnoop', { own: ['--json', '-d', disk.name, '-p', String(process.pid)] }, () => {
    disk.readMerged(5, 4096);
    disk.readMerged(3, 512);
  });
  assert.deepEqual(columns(own, 'operation', 'sector', 'bytes'), [
    ['Read', 0, 5 * 4096],
    ['Read', 0, 3 * 512],
  ]);
});

test('a request that completes in parts, and comes back to the driver for the rest, is one', async () => {
  using disk = new LoopDisk();
  disk.cut(6144);
  let failed = false;
  const { own } = await watch('biosnoop', { own: ['--json', '-d', disk.name] }, () => {
    disk.read(1, 4096);
    failed = disk.readFails(8192);
  });
  assert.deepEqual(columns(own, 'comm', 'sector', 'bytes', 'failed'), [
    ['dd', 0, 4096, undefined],
    ['dd', 0, 8192, failed || undefined],
  ]);
});

test('text is that of bcc', async () => {
  using disk = new LoopDisk();
  const own = ['-d', disk.name];
  const { plain, all } = await watch('biosnoop', { plain: own, all: [...own, '-Q', '-P', '-F'] }, () => {
    disk.read(2, 4096);
  });
  const time = '\\d\\d:\\d\\d:\\d\\d';
  assert.match(plain.stdout, /^TIME +COMM +PID DISK +T +SECTOR +BYTES +LAT\(ms\)\n/);
  assert.match(plain.stdout, new RegExp(`\\n${time} dd +\\d+ ${disk.name} +R +8 +4096 +\\d+\\.\\d{3}\\n$`));
  assert.match(all.stdout, /^TIME .* +BYTES P FLAGS +QUE\(ms\) +LAT\(ms\)\n/);
  assert.match(
    all.stdout,
    new RegExp(` dd +\\d+ ${disk.name} +R +0 +4096 \\? .*Read +\\d+\\.\\d{3} +\\d+\\.\\d{3}\\n`),
  );
  assert.match(all.stdout, new RegExp(` dd +\\d+ ${disk.name} +R +8 +4096 S .*Read +\\d+\\.\\d{3} +\\d+\\.\\d{3}\\n`));
});

test('a duration is given by its place', async () => {
  const { code, signal } = await runTool('biosnoop', ['0.01']);
  assert.deepEqual([code, signal], [0, null]);
});
