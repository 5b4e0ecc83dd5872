import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { Actor } from '../helpers/actor.ts';
import { anyWorkload } from '../helpers/any-workload.ts';
import { LoopDisk } from '../helpers/loop-disk.ts';
import { startPeer } from '../helpers/peer.ts';
import { type JsonMessage, startTool } from '../helpers/run-tool.ts';

type Counts = ReadonlyMap<string, number>;

/** Rows of tables or histograms by a field. */
function counted(messages: readonly JsonMessage[], field: string): Counts {
  const rows = messages.flatMap((message) =>
    message.type === 'table' ? (message.rows as JsonMessage[]) : message.type === 'histogram' ? [message] : [],
  );
  return new Map(rows.map((row) => [String(row[field]), Number(row.count)]));
}

test('system calls of a process: as many as syscount of libbpf-tools counts', async (t) => {
  await using actor = await Actor.start();
  await using peer = await startPeer(t, 'syscount', ['-p', String(actor.pid)]);
  if (peer === undefined) {
    return;
  }
  await using tool = startTool('syscount', ['--json', '-p', String(actor.pid)]);
  await tool.ready();
  const time = new Uint8Array(16);
  await actor.perform([
    ...Array.from({ length: 321 }, () => ({ name: 'gettid' as const, args: [] })),
    ...Array.from({ length: 12 }, () => ({ name: 'nanosleep' as const, args: [time, 0] })),
    ...Array.from({ length: 7 }, () => ({ name: 'listen' as const, args: [-1, 1] })),
  ]);
  const [{ messages }, { stdout }] = await Promise.all([tool.end(), peer.end()]);
  const ours = counted(messages, 'syscall');
  const theirs = new Map([...stdout.matchAll(/^([a-z]\w*) +(\d+)$/gm)].map(([, name, count]) => [name, Number(count)]));
  for (const [name, count] of Object.entries({ gettid: 321, nanosleep: 12, listen: 7 })) {
    assert.deepEqual([name, ours.get(name), theirs.get(name)], [name, count, count]);
  }
});

interface Interrupts {
  readonly tool: 'hardirqs' | 'softirqs';
  readonly args: readonly string[];
  readonly field: string;
  /** Counts that the peer has printed. */
  read(stdout: string): Counts;
}

const kinds: readonly Interrupts[] = [
  {
    tool: 'hardirqs',
    args: ['-C'],
    field: 'hardirq',
    read: (stdout) =>
      new Map([...stdout.matchAll(/^(\S.*?) +(\d+)$/gm)].map(([, name = '', count]) => [name, Number(count)])),
  },
  {
    tool: 'softirqs',
    // It cannot only count.
    args: ['-d'],
    field: 'softirq',
    read: (stdout) =>
      new Map(
        [...stdout.matchAll(/^softirq = (\S+)\n((?:.+\n)*)/gm)].map(([, name = '', bars = '']) => [
          name,
          [...bars.matchAll(/: (\d+) /g)].reduce((sum, [, count]) => sum + Number(count), 0),
        ]),
      ),
  },
];

/** Whoever traces longer has seen what the other has seen, and perhaps more. */
async function nested(t: TestContext, kind: Interrupts, outer: 'ours' | 'theirs'): Promise<void> {
  using disk = new LoopDisk();
  const start = {
    ours: async () => {
      const tool = startTool(kind.tool, ['--json', ...kind.args]);
      await tool.ready();
      return tool;
    },
    theirs: () => startPeer(t, kind.tool, kind.args),
  };
  const inner = outer === 'ours' ? 'theirs' : 'ours';
  await using longer = await start[outer]();
  await using shorter = longer && (await start[inner]());
  if (longer === undefined || shorter === undefined) {
    return;
  }
  await anyWorkload();
  disk.read(50, 4096);
  const less = await shorter.end();
  const more = await longer.end();
  const countsOf = (whose: 'ours' | 'theirs', result: typeof less) =>
    whose === 'ours' ? counted(result.messages, kind.field) : kind.read(result.stdout);
  const few = countsOf(inner, less);
  const many = countsOf(outer, more);
  assert.ok(few.size > 0 && [...few.values()].some((count) => count > 0));
  for (const [name, count] of few) {
    assert.ok(count <= (many.get(name) ?? 0), `${name}: ${count} by ${inner}, ${many.get(name)} by ${outer}`);
  }
}

for (const kind of kinds) {
  test(`${kind.tool}: no more than that of libbpf-tools when it traces longer, and the other way round`, async (t) => {
    await nested(t, kind, 'theirs');
    await nested(t, kind, 'ours');
  });
}
