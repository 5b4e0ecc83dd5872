import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import koffi from 'koffi';
import { patience } from '../helpers/deadline.ts';
import { distributionsIn } from '../helpers/distribution.ts';
import { ProbedLibrary } from '../helpers/probed-library.ts';
import { type RunningTool, startCommand, startTool, type ToolResult } from '../helpers/run-tool.ts';
import { tellsPlacesApart } from '../helpers/several-places.ts';
import { watch } from '../helpers/watch.ts';

/** Above it are calls that only tell whether bpftrace traces. */
const MARK = 1_000_000;
/** A call takes long, or nothing: nobody's clock is between them. */
const naps = [0, 150_000, 0, 0, 180_000, 0];

function bpftraceProgram(file: string, libc: string): string {
  const own = `pid == ${process.pid}`;
  const wanted = `/${own} && (int32)arg1 < ${MARK}/`;
  return `
uprobe:${file}:add /${own}/ { printf("mark %d\\n", (int32)arg1); }
uprobe:${file}:add ${wanted} { @add = count(); @stacks[ustack] = count(); @start = 1; @intervals[@seen] = count(); @seen = 1; }
uretprobe:${file}:add /${own} && @start/ { @returns = count(); @start = 0; }
uprobe:${file}:answer /${own}/ { @answer = count(); }
uprobe:${libc}:usleep /${own}/ { @slept[tid] = nsecs; @nap[tid] = arg0; }
uretprobe:${libc}:usleep /@slept[tid]/ {
  $time = nsecs - @slept[tid];
  @times = hist($time / 1000000);
  if ($time >= 100000000) { printf("slow %d %d\\n", @nap[tid], (int32)retval); }
  delete(@slept[tid]);
}`;
}

/** Calls until bpftrace has told of it: it does not say when it traces. */
async function traces(peer: RunningTool, library: ProbedLibrary, mark: number): Promise<boolean> {
  for (const end = performance.now() + patience; !peer.stdout.includes(`mark ${mark}\n`); ) {
    if (peer.process.exitCode !== null) {
      return false;
    }
    assert.ok(performance.now() < end, peer.stderr);
    library.add(0, mark);
    await wait(20);
  }
  return true;
}

function numbersOf(text: string, pattern: RegExp): number[] {
  return [...text.matchAll(pattern)].map(([, number]) => Number(number)).sort((a, b) => a - b);
}

const countsOf = ({ messages }: ToolResult) => distributionsIn(messages).map(({ count }) => count);

/** How many calls took how long, by the first number of the bucket: ours begin with 0 to 1, and theirs with 0 and 1. */
function bucketsOf({ messages }: ToolResult): Record<string, number> {
  const buckets = distributionsIn(messages).flatMap((one) => one.buckets);
  return Object.fromEntries(buckets.filter(({ count }) => count > 0).map(({ from, count }) => [from, count]));
}

function barsOf(text: string): Record<string, number> {
  const bars: Record<string, number> = {};
  for (const [, from = '', count] of text.matchAll(/^\[(\d+)[^\])]*[\])] +(\d+) \|/gm)) {
    if (count !== '0') {
      const start = from === '1' ? '0' : from;
      bars[start] = (bars[start] ?? 0) + Number(count);
    }
  }
  return bars;
}

test('calls, stacks, times and intervals are as many as bpftrace finds, and the same calls are slow', async (t) => {
  if (spawnSync('bpftrace', ['--version']).status !== 0) {
    t.skip('bpftrace is not installed');
    return;
  }
  const libc = /\S+\/libc\.so\.6$/m.exec(readFileSync('/proc/self/maps', 'utf8'))?.[0];
  if (libc === undefined) {
    t.skip('this process has another C library');
    return;
  }
  const usleep = koffi.load(libc).func('int usleep(uint32_t micros)');
  using library = new ProbedLibrary();
  const { path } = library;
  await using peer = startCommand(['bpftrace', '-q', '-e', bpftraceProgram(path, libc)]);
  if (!(await traces(peer, library, MARK + 1))) {
    t.skip(`bpftrace cannot run on this kernel: ${peer.stderr.trim().split('\n').at(-1)}`);
    return;
  }
  const own = ['--json', '-p', String(process.pid)];
  const add = `${path}:add`;
  const sleeps = `${libc}:usleep`;
  const work = () => {
    for (let i = 0; i < 23; i++) {
      library.add(i, 1);
    }
    for (let i = 0; i < 7; i++) {
      library.answer();
      library.add(i, 2);
    }
    for (const nap of naps) {
      usleep(nap);
    }
  };
  const tools = {
    funccount: (await tellsPlacesApart('funccount', ...own, `${path}:a*`))
      ? { calls: [...own, `${path}:a*`] }
      : { calls: [...own, add], answers: [...own, `${path}:answer`] },
    funclatency: { returns: [...own, add], times: [...own, '-m', sleeps] },
    funcinterval: { intervals: [...own, add] },
    funcslower: { slow: [...own, '-m', '100', '-a', '1', sleeps] },
  };
  await using stacks = startTool('stackcount', [...own, '-U', add]);
  await stacks.ready();
  const seen = new Map<string, ToolResult>();
  // All of them watch the same calls: each starts the next one.
  const all = async ([first, ...rest]: readonly [
    string,
    Readonly<Record<string, readonly string[]>>,
  ][]): Promise<void> => {
    if (first === undefined) {
      work();
      return;
    }
    const [tool, lines] = first;
    for (const [name, result] of Object.entries(await watch(tool, lines, () => all(rest)))) {
      seen.set(name, result);
    }
  };
  await all(Object.entries(tools));
  // Its user stacks are those of a program without frame pointers, and it says so.
  const stacked = await stacks.end();
  assert.ok(await traces(peer, library, MARK + 2));
  const { stdout } = await peer.end();

  const found = (name: string) => {
    const result = seen.get(name);
    assert.ok(result !== undefined);
    return result;
  };
  const counted = [found('calls'), ...(seen.has('answers') ? [found('answers')] : [])];
  const calls = counted
    .flatMap(({ messages }) => messages)
    .flatMap(({ type, rows }) => (type === 'table' ? (rows as readonly { func: string; count: number }[]) : []));
  assert.deepEqual(
    calls.map(({ func, count }) => `@${func}: ${count}`).sort(),
    [...stdout.matchAll(/^@(?:add|answer): \d+$/gm)].map(([line]) => line).sort(),
  );
  assert.equal(
    calls.reduce((sum, { count }) => sum + count, 0),
    37,
  );
  assert.deepEqual(countsOf(found('returns')), numbersOf(stdout, /^@returns: (\d+)$/gm));
  assert.deepEqual(countsOf(found('intervals')), numbersOf(stdout, /^@intervals\[1\]: (\d+)$/gm));

  const slow = found('slow').rows.map(({ arguments: all, result }) => {
    const [nap] = all as readonly string[];
    return `slow ${Number(nap)} ${Number(result)}`;
  });
  assert.deepEqual(slow, stdout.match(/^slow .*$/gm));
  assert.ok(slow.length >= 2);
  assert.deepEqual(bucketsOf(found('times')), barsOf(stdout));

  // How often each stack was seen, and how many functions it has.
  const ours = stacked.messages
    .filter(({ type }) => type === 'stack')
    .map(({ weight, user }) => [Number(weight), (user as readonly unknown[]).length]);
  const theirs = [...stdout.matchAll(/^@stacks\[\n(.*?)\]: (\d+)$/gms)].map(([, frames = '', count]) => [
    Number(count),
    frames.trim().split('\n').length,
  ]);
  assert.deepEqual(ours.sort(), theirs.sort());
});
