import assert from 'node:assert/strict';
import { statSync } from 'node:fs';
import { test } from 'node:test';
import { Actor } from '../helpers/actor.ts';
import { areConnectedHosts, CABLE, disableIpv6, sendPacket } from '../helpers/network-namespace.ts';
import { allowedProcessors } from '../helpers/processors.ts';
import type { RunningTool, ToolResult } from '../helpers/run-tool.ts';
import { tableRows } from '../helpers/tables.ts';
import { watch } from '../helpers/watch.ts';
import { attachXdp, type Fate, processorQueue } from '../helpers/xdp.ts';

type Sums = Readonly<Record<string, readonly [packets: number, drops: number]>>;

/** The sums of all tables, by what came to the packets. */
function sums({ messages }: Pick<ToolResult, 'messages'>): Sums {
  const found: Record<string, [number, number]> = {};
  for (const { step, action, error, to, packets, drops } of tableRows(messages)) {
    const name = [step, action, error, to].filter((part) => part !== undefined).join(' ');
    const sum = found[name] ?? [0, 0];
    found[name] = [sum[0] + Number(packets), sum[1] + Number(drops)];
  }
  return found;
}

const ENXIO = 6;
const EINVAL = 22;
/** More at once than the queue has room for. */
const QUEUED = 50;

test('what becomes of packets is counted, by program, action and error', async (t) => {
  await using left = await Actor.start();
  await using right = await Actor.start();
  if (!(await areConnectedHosts(t, left, right))) {
    return;
  }
  await disableIpv6(left);
  await disableIpv6(right);
  const cpu = allowedProcessors()[0] ?? 0;
  const kinds: readonly (readonly [number, Fate])[] = [
    [4, { returns: 0 }],
    [2, { returns: 1 }],
    [3, { returns: 2 }],
    [6, { returns: 3 }],
    [5, { returns: 17 }],
    [7, { to: CABLE }],
    [8, { to: 4_000_000 }],
    [QUEUED, { map: processorQueue(cpu, 1) }],
  ];
  const [BACK, TIMES] = [3, 2];
  const program = await attachXdp(
    right,
    'told_apart',
    kinds.map(([, fate]) => fate),
    cpu,
  );
  const send = (kind: number, times: number) =>
    sendPacket(left, Buffer.of(0x45, kind, ...new Array<number>(58).fill(0)), times);
  const expected: Sums = {
    'EXCEPTION ABORTED': [4, 4],
    'EXCEPTION 17': [5, 5],
    'REDIRECT REDIRECT': [7 + QUEUED, 0],
    [`REDIRECT REDIRECT ${EINVAL}`]: [8, 8],
    'XMIT REDIRECT cable': [7, 0],
    [`BULK_TX TX ${ENXIO}`]: [TIMES, TIMES],
    'BULK_TX TX': [6, 0],
  };
  const chosen = (wanted: (name: string, drops: number) => boolean) =>
    Object.fromEntries(Object.entries(expected).filter(([name, [, drops]]) => wanted(name, drops)));
  const netns = statSync(`/proc/${right.pid}/ns/net`).ino;
  const own = ['--json', '--pid-netns', String(right.pid)];
  const seen = await watch(
    'xdpstat',
    {
      own: [...own, '0.1'],
      lost: [...own, '-x', '-i', 'cable'],
      back: [...own, '-a', 'TX'],
      other: ['--json', '-n', String(netns), '-i', 'cabl'],
      queue: ['--json', '0.1'],
    },
    async ({ own, queue }) => {
      const comes = async (tool: RunningTool, name: string, from: Sums = expected) =>
        tool.until((all) => (sums(all)[name]?.[0] ?? 0) >= (from[name]?.[0] ?? 0), name);
      // An end whose other end has no program takes no packets from one that has.
      await send(BACK, TIMES);
      await comes(own, `BULK_TX TX ${ENXIO}`);
      await attachXdp(left, 'taker', []);
      for (const [kind, [times]] of kinds.entries()) {
        await send(kind, times);
      }
      for (const name of Object.keys(expected)) {
        await comes(own, name);
      }
      await queue.until((all) => {
        const [enqueued = 0, dropped = 0] = sums(all)[`ENQUEUE REDIRECT cpu${cpu}`] ?? [];
        return enqueued >= QUEUED && (sums(all)[`CPUMAP PASS cpu${cpu}`]?.[0] ?? 0) >= enqueued - dropped;
      }, 'what the other processor gets');
    },
  );
  assert.deepEqual(
    sums(seen.own),
    chosen((name) => !/CPUMAP|ENQUEUE/.test(name)),
  );
  assert.deepEqual(
    sums(seen.lost),
    chosen((_, drops) => drops > 0),
  );
  assert.deepEqual(
    sums(seen.back),
    chosen((name) => name.startsWith('BULK_TX')),
  );
  assert.deepEqual(sums(seen.other), {});
  const programs = tableRows(seen.own.messages).filter(({ step }) => step === 'REDIRECT' || step === 'EXCEPTION');
  assert.ok(programs.every((row) => row.prog_id === program && row.program === 'told_apart' && row.netns === netns));
  assert.ok(tableRows(seen.own.messages).every((row) => row.interface === 'cable'));
});
