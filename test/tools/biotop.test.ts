import assert from 'node:assert/strict';
import { closeSync, openSync, readSync } from 'node:fs';
import { test } from 'node:test';
import { TestCgroup } from '../helpers/cgroup.ts';
import { LoopDisk } from '../helpers/loop-disk.ts';
import type { JsonMessage, ToolResult } from '../helpers/run-tool.ts';
import { mustSyscall } from '../helpers/syscall.ts';
import { watch } from '../helpers/watch.ts';

const POSIX_FADV_WILLNEED = 3;

/** The rows of all tables of a run added up by command and operation: [comm, operation, requests, bytes]. */
function sums({ messages }: ToolResult): [unknown, unknown, number, number][] {
  const sums = new Map<string, [unknown, unknown, number, number]>();
  for (const row of rowsOf(messages)) {
    const key = `${row.comm} ${row.operation}`;
    const sum = sums.get(key) ?? [row.comm, row.operation, 0, 0];
    sum[2] += Number(row.io);
    sum[3] += Number(row.bytes);
    sums.set(key, sum);
  }
  return [...sums.values()].sort(([, a], [, b]) => String(a).localeCompare(String(b)));
}

function rowsOf(messages: readonly JsonMessage[]): JsonMessage[] {
  return messages.flatMap(({ type, rows }) => (type === 'table' ? (rows as JsonMessage[]) : []));
}

test('requests, bytes and time are those of the process that asked, by disk and operation', async () => {
  using disk = new LoopDisk();
  using other = new LoopDisk();
  using third = new LoopDisk();
  using group = new TestCgroup();
  const fd = openSync(third.path, 'r');
  const own = ['--json', '-d', disk.name];
  const start = performance.now();
  const seen = await watch(
    'biotop',
    {
      often: [...own, '--comm', 'dd'],
      once: [...own, '1000'],
      stranger: [...own, '--comm', 'no such'],
      cgroup: ['--json', '--cgroup', group.path],
      both: ['--json', '--comm', 'dd'],
      mine: ['--json', '-d', third.name, '-p', String(process.pid)],
    },
    () => {
      // It completes in an interrupt, or in a kernel thread: that is not who asked.
      mustSyscall('fadvise64', fd, 0, 65536, POSIX_FADV_WILLNEED);
      readSync(fd, Buffer.alloc(65536), 0, 65536, 0);
      disk.read(137, 4096);
      disk.write(41, 8192);
      disk.readIn(group.path, 11, 512);
      other.read(5, 512);
    },
  );
  const took = performance.now() - start;
  closeSync(fd);
  const expected = [
    ['dd', 'Read', 148, 137 * 4096 + 11 * 512],
    ['dd', 'Write', 41, 41 * 8192],
  ];
  assert.deepEqual(sums(seen.often), expected);
  assert.deepEqual(sums(seen.once), expected);
  assert.deepEqual(sums(seen.stranger), []);
  const mine = sums(seen.mine);
  assert.deepEqual(
    mine.map(([, operation, , bytes]) => [operation, bytes]),
    [['Read', 65536]],
  );
  assert.ok(rowsOf(seen.mine.messages).every(({ pid }) => pid === process.pid));
  assert.deepEqual(sums(seen.cgroup), [['dd', 'Read', 11, 11 * 512]]);

  const rows = rowsOf(seen.once.messages);
  assert.equal(new Set(rows.map(({ pid }) => pid)).size, 3, 'three processes');
  for (const { pid, disk: name, total, io, average } of rows) {
    assert.ok(Number(pid) > 0 && name === disk.name);
    assert.ok(Number(total) > 0 && Number(total) < took * 1e6);
    assert.equal(average, Math.round(Number(total) / Number(io)));
  }
  const disks = new Set(rowsOf(seen.both.messages).map(({ disk: name }) => name));
  assert.ok(disks.has(disk.name) && disks.has(other.name));
});

test('the rows are sorted, and no more than asked for', async () => {
  using disk = new LoopDisk();
  const own = ['--json', '-d', disk.name];
  const { count, most, longest, text } = await watch(
    'biotop',
    {
      count: [...own, '-s', 'io', '1000'],
      most: [...own, '-s', 'all', '--maxrows', '1', '1000'],
      longest: [...own, '-s', 'total', '1000'],
      text: ['-C', '-d', disk.name, '1000'],
    },
    () => {
      disk.read(30, 512);
      disk.write(2, 65536);
    },
  );
  const operations = ({ messages }: ToolResult) => rowsOf(messages).map(({ operation }) => operation);
  assert.deepEqual(operations(count), ['Read', 'Write']);
  assert.deepEqual(operations(most), ['Write']);
  const times = rowsOf(longest.messages).map((row) => Number(row.total));
  assert.deepEqual(
    times,
    [...times].sort((a, b) => b - a),
  );
  assert.match(text.stdout, /^\d\d:\d\d:\d\d loadavg: \d+\.\d\d \d+\.\d\d \d+\.\d\d \d+\/\d+ \d+\n/);
  assert.match(text.stdout, /\n *PID COMM +D +MAJ MIN DISK +I\/O Kbytes AVGms\n/);
  assert.match(text.stdout, new RegExp(`\\n *\\d+ dd +W +\\d+ \\d+ ${disk.name} +2 +128 +\\d+\\.\\d\\d\\n`));
  assert.match(text.stdout, new RegExp(`\\n *\\d+ dd +R +\\d+ \\d+ ${disk.name} +30 +15 +\\d+\\.\\d\\d\\n`));
});
