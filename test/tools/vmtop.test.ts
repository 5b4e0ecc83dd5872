import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { pageBytes } from '../../lib/native/libc.ts';
import { Actor } from '../helpers/actor.ts';
import { runTool, startTool } from '../helpers/run-tool.ts';
import { tableRows } from '../helpers/tables.ts';

const MAP_SHARED_ANONYMOUS = 0x21;
const MAP_POPULATE = 0x8000;
const PROT_READ_WRITE = 3;

function counter(name: string): number {
  return Number(new RegExp(`^${name} (\\d+)$`, 'm').exec(readFileSync('/proc/vmstat', 'utf8'))?.[1]);
}

test('changes are those of /proc/vmstat, upwards and downwards, with their sizes', async () => {
  await using actor = await Actor.start();
  // Larger than what processors keep to themselves, and than what others do meanwhile.
  const pages = 16_384;
  const size = pages * pageBytes();
  await using tool = startTool('vmtop', ['--json', '-a', '-n', 'nr_shmem', '0.1']);
  await tool.ready();
  const shmem = () => tableRows(tool.messages).filter(({ metric }) => metric === 'nr_shmem');
  await tool.until(() => shmem().length > 0, 'the first table');
  const first = shmem()[0];
  const before = Number(first?.current) - Number(first?.delta);
  const last = () => Number(shmem().at(-1)?.current);
  const where = await actor.mustCall('mmap', 0, size, PROT_READ_WRITE, MAP_SHARED_ANONYMOUS | MAP_POPULATE, -1, 0);
  await tool.until(() => last() > before + pages / 2, 'more memory');
  await actor.mustCall('munmap', where, size);
  await tool.until(() => last() < before + pages / 2, 'less memory');
  const { code } = await tool.end();
  assert.equal(code, 0);
  let current = before;
  for (const row of shmem()) {
    current += Number(row.delta);
    assert.deepEqual(
      [row.unit, row.current, row.delta_bytes, row.current_bytes],
      ['page', current, Number(row.delta) * pageBytes(), current * pageBytes()],
    );
  }
});

test('counters that did not change are left out, and what counts no memory has no size', async () => {
  const [faults, all] = await Promise.all([
    runTool('vmtop', ['--json', '-n', 'pgfault', '0.2', '1']),
    runTool('vmtop', ['--json', '-a', '-s', 'metric', '0.1', '1']),
  ]);
  const [row, ...more] = tableRows(faults.messages);
  assert.deepEqual([row?.metric, row?.unit, row?.delta_bytes, more], ['pgfault', 'event', undefined, []]);
  assert.ok(Number(row?.delta) > 0 && Number(row?.current) <= counter('pgfault'));
  assert.deepEqual(
    tableRows(all.messages).map(({ metric }) => metric),
    [...readFileSync('/proc/vmstat', 'utf8').matchAll(/^\w+/gm)].map(([name]) => name),
  );
});

test('the columns are in units of their own', async () => {
  const { stdout } = await runTool('vmtop', ['-a', '-n', 'nr_kernel_stack', '0.1', '1']);
  const [head = '', line = ''] = stdout.split('\n').map((one) => one.trim().replace(/ +/g, ' '));
  assert.equal(head, 'METRIC DELTA DELTA_KB CURRENT CURRENT_MB');
  const [name, delta, kilobytes, current, megabytes] = line.split(' ');
  assert.deepEqual([name, kilobytes], ['nr_kernel_stack', delta]);
  assert.equal(Number(megabytes), Math.round(Number(current) / 1024));
});
