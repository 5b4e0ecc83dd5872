import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TestCgroup } from '../helpers/cgroup.ts';
import { distributionsIn } from '../helpers/distribution.ts';
import { LoopDisk } from '../helpers/loop-disk.ts';
import { runTool, type ToolResult } from '../helpers/run-tool.ts';
import { watch } from '../helpers/watch.ts';

const READS = 137;
const WRITES = 41;

function counts({ messages }: ToolResult): number[] {
  return distributionsIn(messages).map(({ count }) => count);
}

test('each request is counted once, under its disk and its kind', async () => {
  using disk = new LoopDisk();
  using other = new LoopDisk();
  const own = ['--json', '-d', disk.name];
  const start = performance.now();
  const seen = await watch(
    'biolatency',
    {
      plain: own,
      path: ['--json', '--disk', disk.path],
      queued: [...own, '-Q'],
      milliseconds: [...own, '-m'],
      flags: [...own, '-F'],
      disks: ['--json', '-D'],
      both: ['--json', '-D', '--flag'],
      command: [...own, '--comm', 'dd'],
      stranger: [...own, '--comm', 'no such'],
      intervals: [...own, '0.02'],
    },
    () => {
      disk.read(READS, 4096);
      disk.write(WRITES, 8192);
      other.read(5, 512);
    },
  );
  const took = performance.now() - start;
  const all = READS + WRITES;
  assert.deepEqual(counts(seen.plain), [all]);
  assert.deepEqual(counts(seen.path), [all]);
  assert.deepEqual(counts(seen.queued), [all]);
  assert.deepEqual(counts(seen.milliseconds), [all]);
  assert.deepEqual(counts(seen.command), [all]);
  assert.deepEqual(counts(seen.stranger), []);
  // What comes between two readings is in the second one.
  assert.equal(
    counts(seen.intervals).reduce((sum, count) => sum + count, 0),
    all,
  );
  const [plain] = distributionsIn(seen.plain.messages);
  assert.equal(plain?.unit, 'usecs');
  assert.ok((plain?.total ?? 0) > 0 && (plain?.total ?? 0) < took * 1000);
  assert.equal(distributionsIn(seen.milliseconds.messages)[0]?.unit, 'msecs');

  const kinds = distributionsIn(seen.flags.messages);
  const ofKind = (pattern: RegExp) =>
    kinds.filter(({ request }) => pattern.test(String(request))).reduce((sum, { count }) => sum + count, 0);
  assert.deepEqual([ofKind(/^(.+-)?Read$/), ofKind(/^(.+-)?Write$/)], [READS, WRITES]);
  assert.ok(kinds.every(({ request, disk: name }) => /^[A-Z]/.test(String(request)) && name === undefined));
  assert.ok(ofKind(/^(.+-)?Sync-(.+-)?Write$/) === WRITES, 'direct writes are synchronous');

  const disks = new Map(distributionsIn(seen.disks.messages).map((one) => [one.disk, one.count]));
  assert.deepEqual([disks.get(disk.name), disks.get(other.name)], [all, 5]);
  const both = distributionsIn(seen.both.messages).filter((one) => one.disk === disk.name);
  assert.equal(
    both.reduce((sum, { count }) => sum + count, 0),
    all,
  );
});

test('what is merged is one request', async () => {
  using disk = new LoopDisk();
  const own = ['--json', '-d', disk.name, '-p', String(process.pid)];
  const seen = await watch('biolatency', { plain: own, queued: [...own, '-Q'] }, () => disk.readMerged(7, 4096));
  assert.deepEqual([counts(seen.plain), counts(seen.queued)], [[1], [1]]);
});

test('a cgroup is that of the task that asks, not of the one that is there in the end', async () => {
  using group = new TestCgroup();
  using empty = new TestCgroup();
  using disk = new LoopDisk();
  const own = ['--json', '-d', disk.name];
  const seen = await watch(
    'biolatency',
    { inside: [...own, '-c', group.path], outside: [...own, '--cgroup', empty.path] },
    () => disk.readIn(group.path, READS, 4096),
  );
  assert.deepEqual(counts(seen.inside), [READS]);
  assert.deepEqual(counts(seen.outside), []);
});

test('text has a section for each disk and kind', async () => {
  using disk = new LoopDisk();
  const { text, lines } = await watch(
    'biolatency',
    { text: ['-T', '-D', '-F', '-e', '-d', disk.name], lines: ['-j', '-d', disk.name] },
    () => disk.read(20, 4096),
  );
  const [, line = ''] = /^\{"type":"ready",.*\}\n(.*)\n$/.exec(lines.stdout) ?? [];
  assert.equal(JSON.parse(line).count, 20);
  assert.match(
    text.stdout,
    new RegExp(`^\\d\\d:\\d\\d:\\d\\d\ndisk = ${disk.name}\nrequest = \\S*Read\n +usecs +: count +distribution\n`),
  );
  assert.match(text.stdout, /\navg = \d+ usecs, total: \d+ usecs, count: 20, /);
});

test('what is no disk is wrong usage', async () => {
  const { code, stderr } = await runTool('biolatency', ['-d', 'no/disk']);
  assert.equal(code, 2);
  assert.match(stderr, /'no\/disk' is not a disk/);
});

test('a request that comes back to the driver for the rest is still that of the task that asked', async () => {
  using disk = new LoopDisk();
  disk.cut(6144);
  const { own } = await watch('biolatency', { own: ['--json', '-d', disk.name, '--comm', 'dd'] }, () => {
    disk.read(1, 4096);
    disk.readFails(8192);
  });
  assert.deepEqual(counts(own), [2]);
});
