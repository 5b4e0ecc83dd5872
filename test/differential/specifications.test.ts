import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { patience } from '../helpers/deadline.ts';
import { ProbedLibrary } from '../helpers/probed-library.ts';
import { type RunningTool, startCommand, type ToolResult } from '../helpers/run-tool.ts';
import { watch } from '../helpers/watch.ts';

/** Above it are calls that only tell whether somebody traces. */
const MARK = 1_000_000;
const calls: readonly [number, number][] = [
  [1, 2],
  [-5, -3],
  [70_000, 300],
  [5, 0],
  [5, 1],
  [0, 0],
  [4, -1],
  [7, 7],
  [1023, 5],
  [1024, 5],
];

function bpftraceProgram(file: string): string {
  const own = `pid == ${process.pid}`;
  return `
uprobe:${file}:add /${own}/ { printf("entry %d %d\\n", (int32)arg0, (int32)arg1); }
uprobe:${file}:add /${own} && (int32)arg1 < ${MARK}/ { @first[(int32)arg0] = count(); }
uretprobe:${file}:add /${own}/ { printf("result %d\\n", (int32)retval); }
uretprobe:${file}:add /${own} && (int32)retval < ${MARK}/ { @results = hist((int32)retval); }
usdt:${file}:kscope:add /${own}/ { printf("usdt %d %d\\n", (int32)arg0, (int32)arg1); }
tracepoint:syscalls:sys_enter_kill /${own} && args->sig == 0/ { printf("kill %d %d\\n", (int32)args->pid, (int32)args->sig); }`;
}

/** Does something that everything traces, until bpftrace has told of all of it: it does not say when it traces. */
async function traces(peer: RunningTool, library: ProbedLibrary, mark: number): Promise<boolean> {
  const told = () =>
    [`entry 0 ${mark}`, `result ${mark}`, `usdt 0 ${mark}`, 'kill'].every((line) => peer.stdout.includes(`${line}`));
  for (const end = performance.now() + patience; !told(); ) {
    if (peer.process.exitCode !== null) {
      return false;
    }
    assert.ok(performance.now() < end, peer.stderr);
    library.add(0, mark);
    process.kill(process.pid, 0);
    await wait(20);
  }
  return true;
}

function lines(text: string, kind: string): string[] {
  return text
    .split('\n')
    .filter((line) => line.startsWith(`${kind} `))
    .map((line) => line.slice(kind.length + 1));
}

function withoutMarks(all: readonly string[]): string[] {
  return all.filter((line) => !line.split(' ').some((word) => Math.abs(Number(word)) >= MARK));
}

function messagesOf(result: ToolResult): string[] {
  return withoutMarks(result.rows.map(({ message }) => String(message)));
}

/** Rows of bars: '[4, 8)   3 |@@@|', '(..., 0)  2 |@@|', '[1]  1 |@|'. */
function barsOf(text: string): Record<string, number> {
  const bars = text.slice(text.indexOf('@results:')).matchAll(/^([[(][^\])]*[\])]) +(\d+) \|/gm);
  return Object.fromEntries(
    [...bars].filter(([, , count]) => count !== '0').map(([, range = '', count]) => [fromOf(range), Number(count)]),
  );
}

function fromOf(range: string): string {
  const [from = ''] = range.replace(/^[[(]/, '').split(/[,\])]/);
  const [, number = '', unit = ''] = /^(-?\d+)([KM]?)$/.exec(from) ?? [];
  return from === '...' ? 'below' : String(Number(number) * ({ K: 2 ** 10, M: 2 ** 20 }[unit] ?? 1));
}

test('entries, results, probes and system calls are what bpftrace tells of the same', async (t) => {
  if (spawnSync('bpftrace', ['--version']).status !== 0) {
    t.skip('bpftrace is not installed');
    return;
  }
  using library = new ProbedLibrary();
  const { path } = library;
  await using peer = startCommand(['bpftrace', '-q', '-e', bpftraceProgram(path)]);
  if (!(await traces(peer, library, MARK + 1))) {
    t.skip(`bpftrace cannot run on this kernel: ${peer.stderr.trim().split('\n').at(-1)}`);
    return;
  }
  const own = ['--json', '-p', String(process.pid)];
  const already = lines(peer.stdout, 'kill').length;
  const work = () => {
    for (const [a, b] of calls) {
      library.add(a, b);
      process.kill(process.pid, 0);
    }
  };
  const counting = watch(
    'argdist',
    {
      first: [...own, '-C', `p:${path}:add(int a, int b):int:a:b < ${MARK}`],
      results: [...own, '-H', `r:${path}:add():int:$retval:(int)$retval < ${MARK}`],
    },
    // Both tools watch the same calls.
    async () => {
      ours = await watch(
        'trace',
        {
          entry: [...own, `${path}:add(int a, int b) "%d %d", a, b`],
          result: [...own, `r:${path}:add "%d", retval`],
          usdt: [...own, `u:${path}:kscope:add "%d %d", (int)arg1, arg2`],
          kill: [...own, 't:syscalls:sys_enter_kill (sig == 0) "%d %d", pid, sig'],
        },
        work,
      );
    },
  );
  let ours: Record<'entry' | 'result' | 'usdt' | 'kill', ToolResult> | undefined;
  const { first, results } = await counting;
  // What bpftrace prints comes in order.
  assert.ok(await traces(peer, library, MARK + 2));
  const { stdout } = await peer.end();
  assert.ok(ours !== undefined);

  assert.deepEqual(messagesOf(ours.entry), withoutMarks(lines(stdout, 'entry')));
  assert.deepEqual(messagesOf(ours.result), withoutMarks(lines(stdout, 'result')));
  assert.deepEqual(messagesOf(ours.usdt), withoutMarks(lines(stdout, 'usdt')));
  assert.equal(ours.entry.rows.length, calls.length);
  const kills = ours.kill.rows.map(({ message }) => String(message));
  assert.deepEqual(kills, Array<string>(calls.length).fill(`${process.pid} 0`));
  assert.deepEqual(lines(stdout, 'kill').slice(already, already + kills.length), kills);

  const counts = first.messages.flatMap(({ type, rows }) =>
    type === 'table' ? (rows as { event: string; count: number }[]) : [],
  );
  const sums = new Map<string, number>();
  for (const { event, count } of counts) {
    const value = event.replace(/^a = /, '');
    sums.set(value, (sums.get(value) ?? 0) + count);
  }
  const theirs = [...stdout.matchAll(/^@first\[(-?\d+)\]: (\d+)$/gm)].map(([, value = '', count]) => [
    value,
    Number(count),
  ]);
  assert.deepEqual([...sums].sort(), theirs.sort());

  const buckets: Record<string, number> = {};
  for (const { type, buckets: all } of results.messages) {
    for (const { from, count } of type === 'histogram' ? (all as { from: number; count: number }[]) : []) {
      if (count > 0) {
        const name = from < 0 ? 'below' : String(from);
        buckets[name] = (buckets[name] ?? 0) + count;
      }
    }
  }
  assert.deepEqual(buckets, barsOf(stdout));
});
