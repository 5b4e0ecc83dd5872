import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type bpf from '../../bpf/llcstat.bpf.ts';
import { counterProblem } from '../../lib/bpf/hardware-counters.ts';
import { objectFile } from '../../lib/bpf/object-file.ts';
import { BpfObject } from '../../lib/index.ts';
import llcstat, { hitPercent } from '../../tools/llcstat.ts';
import { Actor } from '../helpers/actor.ts';
import { CachedFile } from '../helpers/cached-file.ts';
import { placeOnDisk } from '../helpers/disk.ts';
import { built, type JsonMessage, runTool, startCommand } from '../helpers/run-tool.ts';

/** Of the kernel's own counters. */
const pageFaults = { type: 1, config: 2 };
const [PAGES, PAGE, EVENTS] = [200, 4096, 7];
const [O_RDONLY, O_RDWR, PROT_READ, PROT_READ_WRITE, MAP_PRIVATE, MADV_RANDOM] = [0, 2, 1, 3, 2, 1];

test('misses of a process that jumps through memory, or a clear word that nobody counts', async () => {
  if ((counterProblem('cache references') ?? counterProblem('cache misses')) !== undefined) {
    const { code, stdout, stderr } = await runTool('llcstat', ['1', '1']);
    assert.deepEqual([code, stdout], [3, '']);
    assert.match(
      stderr,
      /^llcstat: this kernel lacks what llcstat needs: there is no counter of cache (references|misses), as/,
    );
    return;
  }
  const script =
    'const a = new Int32Array(2 ** 25); for (let i = 0, at = 1;; i++) { a[at]++; at = (at * 1103515245 + 12345) & (2 ** 25 - 1); }';
  await using jumping = startCommand([process.execPath, '-e', script]);
  const { code, messages } = await runTool('llcstat', ['--json', '-p', String(jumping.pid), '1', '1']);
  assert.equal(code, 0);
  const rows = messages.flatMap(({ type, rows: all }) => (type === 'table' ? (all as JsonMessage[]) : []));
  const sum = (name: string) => rows.reduce((all, row) => all + Number(row[name]), 0);
  assert.ok(rows.length > 0 && rows.every(({ pid }) => pid === jumping.pid));
  assert.ok(sum('references') > 0 && sum('misses') > 0);
});

test('samples are counted by process and processor, each as so many events: of page faults here, as all machines have them', async () => {
  using object = BpfObject.open<NonNullable<(typeof bpf)['types']>>(objectFile(llcstat.skeleton));
  object.globals.set('sample_period', BigInt(EVENTS));
  object.load();
  await using actor = await Actor.start();
  const fd = await actor.mustCall('openat', 0, '/dev/zero', O_RDWR);
  const memory = await actor.mustCall('mmap', 0, PAGES * PAGE, PROT_READ_WRITE, MAP_PRIVATE, fd, 0);
  object.program('reference').attachPerfEvent({ ...pageFaults, period: 1 }, { pid: actor.pid });
  object.program('miss').attachPerfEvent({ ...pageFaults, period: 4 }, { pid: actor.pid });
  await actor.mustCall('read', fd, memory, PAGES * PAGE);
  const rows = [...object.map('caches')];
  const sum = (name: 'references' | 'misses') => rows.reduce((all, [, value]) => all + Number(value[name]), 0);
  assert.ok(rows.every(([{ pid, tid }]) => pid === actor.pid && tid === pid));
  const faults = sum('references') / EVENTS;
  // The memory of Node's own comes on top.
  assert.ok(Number.isInteger(faults) && faults >= PAGES && faults < 4 * PAGES, `${faults} page faults`);
  assert.equal(sum('misses'), Math.floor(faults / 4) * EVENTS);
});

/** How often a process had to wait for a disk because a page was not there. */
function majorFaults(pid: number): number {
  const [, fields = ''] = readFileSync(`/proc/${pid}/stat`, 'latin1').split(') ');
  return Number(fields.split(' ')[9]);
}

test('a whole run, with page faults for references and those that waited for a disk for misses', async (t) => {
  using place = placeOnDisk(t);
  if (place === undefined) return;
  const path = join(place.path, 'cold');
  using cold = new CachedFile(path, PAGES);
  cold.drop();
  await using actor = await Actor.start();
  const fd = await actor.mustCall('openat', 0, path, O_RDONLY);
  const target = await actor.mustCall('openat', 0, join(place.path, 'copy'), O_RDWR | 0o100, 0o600);
  const memory = await actor.mustCall('mmap', 0, PAGES * PAGE, PROT_READ, MAP_PRIVATE, fd, 0);
  await actor.mustCall('madvise', memory, PAGES * PAGE, MADV_RANDOM);
  const args = ['--json', '-p', String(actor.pid), '-t', '-c', '1'];
  const command = [process.execPath, `${built}test/helpers/page-fault-counters-main.js`, ...args] as const;
  await using tool = startCommand([...command], { json: true });
  await tool.ready();
  const before = majorFaults(actor.pid);
  assert.equal(await actor.mustCall('write', target, memory, PAGES * PAGE), PAGES * PAGE);
  const major = majorFaults(actor.pid) - before;
  const { code, messages } = await tool.end();
  assert.equal(code, 0);
  const rows = messages.flatMap(({ type, rows: all }) => (type === 'table' ? (all as JsonMessage[]) : []));
  const sum = (name: string) => rows.reduce((all, row) => all + Number(row[name]), 0);
  assert.ok(rows.every(({ pid, tid }) => pid === actor.pid && actor.tids.includes(Number(tid))));
  assert.ok(major >= PAGES, `${major} major faults`);
  assert.equal(sum('misses'), major);
  assert.ok(sum('references') >= major);
  for (const { references, misses, ratio } of rows) {
    assert.equal(ratio, hitPercent({ references: Number(references), misses: Number(misses) }));
  }
});

test('the share of hits is none where samples have more misses than references', () => {
  const share = (references: number, misses: number) => hitPercent({ references, misses });
  assert.deepEqual([share(400, 100), share(300, 200), share(100, 0), share(100, 100)], [75, 100 / 3, 100, 0]);
  // Neither 0 nor a negative number.
  assert.deepEqual([share(100, 200), share(0, 100), share(0, 0)], [undefined, undefined, undefined]);
});
