import assert from 'node:assert/strict';
import { test } from 'node:test';
import { probeFeature } from '../../lib/bpf/features.ts';
import { Actor } from '../helpers/actor.ts';
import { compiledProgram } from '../helpers/compiled-program.ts';
import { callKernel } from '../helpers/kernel-calls.ts';
import { needsKprobes } from '../helpers/needs-kprobes.ts';
import { ProbedLibrary } from '../helpers/probed-library.ts';
import { runTool, startCommand, startTool, type ToolResult } from '../helpers/run-tool.ts';
import { tellsPlacesApart } from '../helpers/several-places.ts';
import { TemporaryDirectory } from '../helpers/temporary-directory.ts';
import { watch } from '../helpers/watch.ts';

/** Calls by name, of all tables. */
function counts({ messages }: ToolResult): Record<string, number> {
  const sums: Record<string, number> = {};
  for (const { rows } of messages.filter(({ type }) => type === 'table')) {
    for (const { func, count } of rows as { func: string; count: number }[]) {
      sums[func] = (sums[func] ?? 0) + count;
    }
  }
  return sums;
}

function repeat(times: number, action: () => unknown): void {
  for (let i = 0; i < times; i++) {
    action();
  }
}

test('functions and probes of a library are counted, by name', async () => {
  using library = new ProbedLibrary();
  const own = ['--json', '-p', String(process.pid)];
  const { path } = library;
  const all = [...own, `${path}:a*`];
  const apart = await tellsPlacesApart('funccount', ...all);
  const seen = await watch(
    'funccount',
    {
      one: [...own, `${path}:add`],
      ...(apart && { all, expression: [...own, '-r', `p:${path}:(add|answer)$`] }),
      probe: [...own, `u:${path}:a?d`],
      provider: [...own, `u:${path}:kscope:add`],
      other: ['--json', '-p', '1', `${path}:add`],
    },
    async () => {
      repeat(23, () => library.add(1, 2));
      repeat(7, () => library.answer());
    },
  );
  assert.deepEqual(counts(seen.one), { add: 23 });
  assert.deepEqual(counts(seen.probe), { add: 23 });
  assert.deepEqual(counts(seen.provider), { add: 23 });
  assert.deepEqual(counts(seen.other), {});
  for (const several of [seen.all, seen.expression]) {
    assert.deepEqual(several && counts(several), apart ? { add: 23, answer: 7 } : undefined);
  }
});

test('there is room for what can be counted, and for nothing else', async () => {
  using library = new ProbedLibrary();
  const two = `${library.path}:a*`;
  const [place, room] = (await tellsPlacesApart('funccount', two)) ? [two, 2] : [`${library.path}:add`, 1];
  const { messages, stderr } = await runTool('funccount', ['--json', '--stats', '-d', '0.01', place]);
  const maps = messages.at(-1)?.maps as readonly { map: string; max: number }[] | undefined;
  assert.equal(maps?.find(({ map }) => map === 'counts')?.max, room, stderr);
});

test('tracepoints are counted, by name', async () => {
  await using actor = await Actor.start();
  const own = ['--json', '-p', String(actor.pid)];
  const both = [...own, 't:syscalls:sys_e*_gettid'];
  const apart = await tellsPlacesApart('funccount', ...both);
  const seen = await watch('funccount', { one: [...own, 't:syscalls:sys_enter_gettid'], ...(apart && { both }) }, () =>
    actor.perform(Array.from({ length: 31 }, () => ({ name: 'gettid', args: [] }))),
  );
  const entered = { 'syscalls:sys_enter_gettid': 31 };
  assert.deepEqual(counts(seen.one), entered);
  assert.deepEqual(seen.both && counts(seen.both), apart ? { ...entered, 'syscalls:sys_exit_gettid': 31 } : undefined);
});

test('functions of the kernel are counted, one by one or all at once', async (t) => {
  if (!(await needsKprobes(t, 'funccount', 'vfs_mkdir'))) {
    return;
  }
  await using actor = await Actor.start();
  const own = ['--json', '-p', String(actor.pid)];
  const seen = await watch(
    'funccount',
    { one: [...own, 'vfs_mkdir'], several: [...own, '-r', 'p::vfs_(mkdir|readlink)$'] },
    () => callKernel(actor, { mkdir: 11, readlink: 4 }),
  );
  assert.deepEqual(counts(seen.one), { vfs_mkdir: 11 });
  assert.deepEqual(counts(seen.several), { vfs_mkdir: 11, vfs_readlink: 4 });
});

const many = 3000;

/** Calls functions when there is input: the first once, the second twice, the last seven times. */
const manyFunctions = `
#include <unistd.h>
${Array.from({ length: many }, (_, i) => `__attribute__((noinline)) void f${i}(void) { __asm__ volatile(""); }`).join('\n')}
#ifdef __x86_64__
/* The kernel cannot put a breakpoint at an instruction with this prefix. */
void f_locked(int *number);
__asm__(".globl f_locked\\n.type f_locked,@function\\nf_locked: lock incl (%rdi)\\nret\\n.size f_locked, .-f_locked");
#else
static void f_locked(int *number) { (*number)++; }
#endif
int main(void)
{
	char byte;
	int number = 0;

	if (read(0, &byte, 1) < 0)
		return 1;
	f0();
	f1();
	f1();
	for (int i = 0; i < 7; i++)
		f${many - 1}();
	f_locked(&number);
	return number;
}
`;

test('thousands of functions of a program are counted', async (t) => {
  using place = new TemporaryDirectory();
  const program = compiledProgram(t, place, 'many', manyFunctions);
  if (program === undefined) {
    return;
  }
  if (!probeFeature('uprobe_multi').supported) {
    const { code, stderr } = await runTool('funccount', [`${program}:f*`]);
    assert.equal(code, 2, stderr);
    assert.match(stderr, /matches 300\d places: 1000 can be traced/);
    return;
  }
  for (const own of [false, true]) {
    await using running = startCommand([program], { stdio: ['pipe', 'pipe', 'pipe'] });
    await using tool = startTool('funccount', [...(own ? ['-p', String(running.pid)] : []), '--json', `${program}:f*`]);
    await tool.ready();
    running.process.stdin?.end('x');
    await running.ended();
    const result = await tool.end();
    assert.deepEqual(counts(result), { f0: 1, f1: 2, [`f${many - 1}`]: 7 });
    assert.equal(/cannot stop there: f_locked$/m.test(result.stderr), process.arch === 'x64', result.stderr);
  }
});

test('what a pattern cannot mean is said in a sentence', async () => {
  using library = new ProbedLibrary();
  const cases: readonly [args: string[], code: number, message: RegExp][] = [
    [[], 2, /missing required argument 'pattern'/],
    [['t:sched'], 2, /'t:sched' is no tracepoint/],
    [['t:sched:no_such_event'], 2, /the kernel has no tracepoint 'sched:no_such_event'/],
    [['t:ftrace:print'], 2, /the kernel has no tracepoint 'ftrace:print'/],
    [['t:sched:../sched/sched_switch'], 2, /the kernel has no tracepoint 'sched:\.\.\/sched\/sched_switch'/],
    [[`${library.path}:nothing`], 2, /has no function 'nothing'/],
    [[`u:${library.path}:nothing`], 2, /has no probe 'nothing'/],
    [['/dev/null:main'], 2, /has no function 'main'/],
    [[':main'], 2, /needs --pid/],
    [['-r', 't:sched:('], 2, /'\(' is not a regular expression/],
    [['c:'], 2, /ends without a name/],
  ].map(([args, code, message]) => [args as string[], code as number, message as RegExp]);
  for (const [args, expected, message] of cases) {
    const { code, stderr } = await runTool('funccount', args);
    assert.equal(code, expected, `${args.join(' ')}: ${stderr}`);
    assert.match(stderr, message);
  }
});
