import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Actor } from '../helpers/actor.ts';
import { inVirtualMachine } from '../helpers/deadline.ts';
import { LoopDisk } from '../helpers/loop-disk.ts';
import { startPeer } from '../helpers/peer.ts';
import { type JsonMessage, startTool } from '../helpers/run-tool.ts';

/** Sum of the counts of a distribution that was printed as bars. */
function sumOfBars(text: string): number {
  return [...text.matchAll(/^ +\d+ -> \d+ +: (\d+) /gm)].reduce((sum, [, count]) => sum + Number(count), 0);
}

function sumOfCounts(messages: readonly JsonMessage[]): number {
  return messages.filter(({ type }) => type === 'histogram').reduce((sum, { count }) => sum + Number(count), 0);
}

/** Sleeps of so many milliseconds, one after the other. */
function sleeps(count: number, milliseconds: number) {
  const time = new Uint8Array(BigInt64Array.of(0n, BigInt(milliseconds * 1e6)).buffer);
  return Array.from({ length: count }, () => ({ name: 'nanosleep' as const, args: [time, 0] }));
}

test('requests of a disk: as many as biolatency of libbpf-tools counts', async (t) => {
  using disk = new LoopDisk();
  await using peer = await startPeer(t, 'biolatency', ['-d', disk.name]);
  if (peer === undefined) {
    return;
  }
  await using tool = startTool('biolatency', ['--json', '-d', disk.name]);
  await tool.ready();
  disk.read(100, 4096);
  disk.write(50, 8192);
  const [ours, theirs] = await Promise.all([tool.end(), peer.end()]);
  assert.equal(sumOfCounts(ours.messages), sumOfBars(theirs.stdout));
  assert.ok(sumOfCounts(ours.messages) >= 150);
});

test('waits for a processor: as many as runqlat of libbpf-tools counts', async (t) => {
  // A sleep that is over before it has begun, as on a slow machine, is no reason to wait for a processor afterwards.
  const count = inVirtualMachine ? 50 : 200;
  await using actor = await Actor.start();
  await using peer = await startPeer(t, 'runqlat', ['-p', String(actor.pid)]);
  if (peer === undefined) {
    return;
  }
  await using tool = startTool('runqlat', ['--json', '-p', String(actor.pid)]);
  await tool.ready();
  await actor.perform(inVirtualMachine ? sleeps(count, 50) : sleeps(count, 1));
  const [ours, theirs] = await Promise.all([tool.end(), peer.end()]);
  const [own, seen] = [sumOfCounts(ours.messages), sumOfBars(theirs.stdout)];
  assert.ok(own >= count && seen >= count, `${own}, and ${seen} by libbpf-tools`);
  // The threads of the actor still come to rest when the first of the two ends, and on a slow machine when it begins, too.
  // There tasks are preempted on their way to sleep, which is a wait that the other one does not count.
  assert.ok(inVirtualMachine || Math.abs(own - seen) <= own / 50, `${own}, and ${seen} by libbpf-tools`);
});

test('time off the processors: as much as offcputime of libbpf-tools sums up', async (t) => {
  await using actor = await Actor.start();
  await using peer = await startPeer(t, 'offcputime', ['-t', String(actor.pid)], { prints: false });
  if (peer === undefined) {
    return;
  }
  await using tool = startTool('offcputime', ['--json', '-t', String(actor.pid)]);
  await tool.ready();
  await actor.perform(sleeps(30, 10));
  const [ours, theirs] = await Promise.all([tool.end(), peer.end()]);
  const inSleep = (symbols: readonly string[]) => symbols.some((symbol) => /nanosleep/.test(symbol));
  const own = ours.messages
    .filter(
      ({ type, kernel }) => type === 'stack' && inSleep((kernel as { symbol: string }[]).map((one) => one.symbol)),
    )
    .reduce((sum, { weight }) => sum + Number(weight), 0);
  // A stack, who it was, how many microseconds.
  const seen = theirs.stdout
    .split('\n\n')
    .filter((stack) => inSleep(stack.split('\n')))
    .reduce((sum, stack) => sum + Number(/^ +(\d+)\s*$/m.exec(stack)?.[1]), 0);
  assert.ok(own >= 300_000, `${own}`);
  // At each switch one of the two looks at the clock when the other has walked the stack, which takes its time in a guest.
  const apart = own / 50 + (inVirtualMachine ? 30 * 5000 : 0);
  assert.ok(Math.abs(own - seen) <= apart, `${own} us, and ${seen} by libbpf-tools`);
});
