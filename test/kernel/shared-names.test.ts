import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { isOfKernelAlone, isShared } from '../../lib/bpf/shared-names.ts';
import { probeFeature } from '../../lib/index.ts';
import { kernelAddresses, sharingFunctions } from '../../lib/probes/kernel-functions.ts';
import { Actor } from '../helpers/actor.ts';
import { countsBy } from '../helpers/distribution.ts';
import { startTool, type ToolResult } from '../helpers/run-tool.ts';

const skip = probeFeature('kprobe').supported === false && probeFeature('kprobe').reason;

/** Where symbols of each name are: '' in the kernel itself, or the name of a module. */
function homesByName(): ReadonlyMap<string, readonly string[]> {
  const homes = new Map<string, string[]>();
  for (const [, name = '', module = ''] of readFileSync('/proc/kallsyms', 'latin1').matchAll(
    /^\S+ \S (\S+?)(?:\t\[(.*)\])?$/gm,
  )) {
    const known = homes.get(name);
    known === undefined ? homes.set(name, [module]) : known.push(module);
  }
  return homes;
}

/** The first, the last and others between them. */
function some<T>(all: readonly T[], count: number): T[] {
  const step = Math.max(1, Math.floor(all.length / count));
  return all.filter((_, i) => i % step === 0 || i === all.length - 1);
}

test('the kernel says of which names it has several functions', { skip }, (t) => {
  const all = [...homesByName()].filter(([name]) => /^[a-z]\w+$/.test(name));
  const among = (is: (homes: readonly string[]) => boolean) =>
    some(
      all.filter(([, homes]) => is(homes)),
      25,
    ).map(([name]) => name);
  const several = [
    ...among((homes) => homes.length > 1 && homes.every((home) => home === '')),
    ...among((homes) => homes.length > 1 && homes.includes('') && homes.some((home) => home !== '')),
    ...among((homes) => homes.length > 1 && !homes.includes('')),
  ];
  const one = among((homes) => homes.length === 1 && homes[0] === '');
  assert.ok(several.length > 25 && one.length > 25, `${several.length} and ${one.length}`);
  assert.deepEqual(
    several.filter((name) => !isShared(name)),
    [],
  );
  assert.deepEqual(
    one.filter((name) => isShared(name)),
    [],
  );
  assert.ok(!isOfKernelAlone('vfs_raed') && several.every((name) => !isOfKernelAlone(name)));
  const answered = one.filter((name) => isOfKernelAlone(name)).length;
  t.diagnostic(`the kernel said it of ${answered} of ${one.length} names, and /proc/kallsyms of the others`);
  assert.equal(sharingFunctions('vfs_read'), undefined);
});

// One is of the file systems that are mounted, one of what a process maps, one of modules.
const SHARED = 'm_stop';
const reads = { '/proc/self/mounts': 5, '/proc/self/maps': 7, '/proc/modules': 11 } as const;
const calls = 23;

/** Each read of the beginning of such a file ends with one call of its function. */
async function work(actor: Actor): Promise<void> {
  for (const [path, times] of Object.entries(reads)) {
    const file = await actor.call('openat', -100, path, 0);
    assert.ok(file >= 0, path);
    for (let i = 0; i < times; i++) {
      assert.ok((await actor.call('pread64', file, Buffer.alloc(64), 64, 0)) > 0, path);
    }
    await actor.call('close', file);
  }
}

type Rows = readonly Readonly<Record<string, unknown>>[];

const sum = (rows: Rows, what: string) => rows.reduce((before, row) => before + Number(row[what]), 0);
const ofType = ({ messages }: ToolResult, wanted: string): Rows => messages.filter(({ type }) => type === wanted);
const tableRows = (result: ToolResult) => ofType(result, 'table').flatMap(({ rows }) => rows as Rows);
const inHistograms = ({ messages }: ToolResult) => countsBy('func', messages)[''] ?? 0;
const printed = ({ rows }: ToolResult) => rows.length;

/** Each of them has a row of its own. */
function countEach(result: ToolResult): number {
  const rows = tableRows(result);
  assert.deepEqual(
    rows.map(({ count }) => Number(count)).sort((a, b) => a - b),
    Object.values(reads),
  );
  for (const { func } of rows) {
    assert.match(String(func), /^m_stop at 0x[0-9a-f]{16}$/);
  }
  assert.equal(new Set(rows.map(({ func }) => func)).size, rows.length);
  return sum(rows, 'count');
}

const tools: readonly (readonly [tool: string, args: readonly string[], count: (result: ToolResult) => number])[] = [
  ['funccount', [SHARED], countEach],
  ['stackcount', [SHARED], (result) => sum(ofType(result, 'stack'), 'weight')],
  ['funclatency', [SHARED], inHistograms],
  ['funclatency', ['-k', SHARED], inHistograms],
  ['funcslower', ['-u', '0', SHARED], printed],
  ['trace', [SHARED], printed],
  ['trace', [`r::${SHARED}`], printed],
  ['ksnoop', [`${SHARED}(arg1)`], printed],
  ['argdist', ['-i', '100', '-C', `p::${SHARED}():u64:1`], (result) => sum(tableRows(result), 'count')],
];

test('all functions of a name that several have are met', { skip }, async (t) => {
  const homes = homesByName().get(SHARED) ?? [];
  const shared = sharingFunctions(SHARED);
  assert.ok(shared !== undefined && shared.count >= 3, `${homes.length}`);
  assert.equal(shared.count, homes.length);
  assert.equal(kernelAddresses([SHARED])?.ambiguous.length, 0);
  await using actor = await Actor.start();
  const running = tools.map(([tool, args]) => startTool(tool, ['--json', '-p', String(actor.pid), ...args]));
  try {
    await Promise.all(running.map((one) => one.ready()));
    await work(actor);
    for (const [i, one] of running.entries()) {
      const [tool, args, count] = tools[i] as (typeof tools)[number];
      await t.test([tool, ...args].join(' '), async () => {
        const result = await one.end();
        assert.equal(result.code, 0, result.stderr);
        assert.equal(count(result), calls, `${result.stdout}\n${result.stderr}`);
      });
    }
  } finally {
    await Promise.all(running.map((one) => one[Symbol.asyncDispose]()));
  }
});
