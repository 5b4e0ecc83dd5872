import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isDeepStrictEqual } from 'node:util';
import { Actor } from '../helpers/actor.ts';
import { compiledProgram } from '../helpers/compiled-program.ts';
import { type JsonMessage, type RunningTool, runTool, startCommand, startTool } from '../helpers/run-tool.ts';
import { TemporaryDirectory } from '../helpers/temporary-directory.ts';

// Allocates a known lot at SIGUSR1, and gives part of it back at SIGUSR2.
const source = `
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#define KEPT __attribute__((noinline))
static void *kept[100];
static void *volatile result;

KEPT void malloc_here(int i) { kept[i] = malloc(1000); result = kept[i]; }
KEPT void calloc_here(void) { result = calloc(200, 3); result = result ? result : 0; }
KEPT void given_back_here(void) { result = malloc(77); free(result); }
KEPT void large_here(void) { result = malloc(1 << 20); result = result ? result : 0; }
KEPT void map_here(void) { result = mmap(0, 8192, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0); result = result ? result : 0; }

KEPT void realloc_here(void)
{
	void *first = malloc(10), *failed;

	for (int i = 1; i < 20; i++)
		first = realloc(first, i * 1000);
	failed = realloc(first, (size_t)1 << 62);
	result = failed;
}

KEPT void aligned_here(void)
{
	void *one = 0, *none = 0;

	if (posix_memalign(&one, 64, 4096) == 0 && posix_memalign(&none, 3, 4096) != 0)
		result = one;
}

static void on_signal(int number) { (void)number; }

int main(void)
{
	sigset_t set;
	int number;

	setvbuf(stdout, 0, _IONBF, 0);
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigaddset(&set, SIGUSR2);
	sigprocmask(SIG_BLOCK, &set, 0);
	signal(SIGUSR1, on_signal);
	write(1, "ready\\n", 6);
	sigwait(&set, &number);
	for (int i = 0; i < 100; i++)
		malloc_here(i);
	for (int i = 0; i < 50; i++)
		given_back_here();
	for (int i = 0; i < 7; i++)
		calloc_here();
	realloc_here();
	aligned_here();
	large_here();
	map_here();
	write(1, "allocated\\n", 10);
	sigwait(&set, &number);
	for (int i = 0; i < 90; i++)
		free(kept[i]);
	write(1, "freed\\n", 6);
	pause();
	return 0;
}
`;

const rowsOf = ({ messages }: RunningTool) =>
  messages.flatMap(({ type, rows }) => (type === 'table' ? (rows as JsonMessage[]) : []));

/** What the last table says of each function: [bytes, allocations]. */
function heldBy(tool: RunningTool): Record<string, [number, number]> {
  const table = tool.messages.findLast(({ type }) => type === 'table');
  const held: Record<string, [number, number]> = {};
  for (const { user_stack, bytes, count } of (table?.rows ?? []) as JsonMessage[]) {
    const name = (user_stack as { symbol?: string }[] | undefined)?.[0]?.symbol;
    if (name?.endsWith('_here') === true) {
      const [allBytes, all] = held[name] ?? [0, 0];
      held[name] = [allBytes + Number(bytes), all + Number(count)];
    }
  }
  return held;
}

const all = {
  malloc_here: [100_000, 100],
  calloc_here: [4200, 7],
  realloc_here: [19_000, 1],
  aligned_here: [4096, 1],
  large_here: [2 ** 20, 1],
  map_here: [8192, 1],
};

test('what a process holds, by stack', async (t) => {
  using place = new TemporaryDirectory();
  const program = compiledProgram(t, place, 'allocations', source);
  if (program === undefined) {
    return;
  }
  await using running = startCommand([program]);
  await running.until(({ stdout }) => stdout.includes('ready'), 'its start');
  const own = ['--json', '-p', String(running.pid), '-T', '200', '0.2'];
  await using plain = startTool('memleak', [...own, '-o', '0']);
  await using combined = startTool('memleak', [...own, '--combined-only']);
  await using sized = startTool('memleak', [
    ...own,
    '-o',
    '0',
    '-z',
    '1000',
    '-Z',
    '5000',
    '-a',
    '--perf-max-stack-depth',
    '1',
  ]);
  await using old = startTool('memleak', [...own, '-o', '1000000']);
  await using traced = startTool('memleak', [...own, '-t', '-z', '77', '-Z', '1000']);
  const tools = [plain, combined, sized, old, traced];
  await Promise.all(tools.map((tool) => tool.ready()));

  running.process.kill('SIGUSR1');
  await running.until(({ stdout }) => stdout.includes('allocated'), 'the allocations');
  const has = (tool: RunningTool, what: object) =>
    tool.until(() => isDeepStrictEqual(heldBy(tool), what), JSON.stringify(what));
  await has(plain, all);
  await has(combined, all);
  const calls = (operation: string, bytes: number) =>
    traced.rows.filter((row) => row.operation === operation && row.bytes === bytes).length;
  // One of those is had, and given back, by realloc.
  await traced.until(() => calls('ALLOC', 1000) === 101 && calls('FREE', 1000) === 1, 'each call');
  assert.deepEqual([calls('ALLOC', 77), calls('FREE', 77)], [50, 50]);
  assert.ok(
    traced.rows.every(({ pid, tid, address }) => pid === running.pid && tid === pid && /^0x/.test(String(address))),
  );
  const table = sized.messages.length;
  await sized.until(({ messages }) => messages.length > table, 'the next table');
  const last = sized.messages.findLast(({ type }) => type === 'table')?.rows as JsonMessage[];
  const ours = last.filter(({ user_stack }) => JSON.stringify(user_stack).includes('_here'));
  assert.equal(ours.length, 101, 'one row for each of 1000 to 5000 bytes');
  assert.ok(
    ours.every(({ address, bytes, age }) => /^0x/.test(String(address)) && Number(bytes) >= 1000 && Number(age) > 0),
  );
  assert.ok(ours.every(({ user_stack }) => (user_stack as unknown[]).length === 1));
  assert.equal(new Set(ours.map(({ address }) => address)).size, 101);

  running.process.kill('SIGUSR2');
  await running.until(({ stdout }) => stdout.includes('freed'), 'the end');
  const rest = { ...all, malloc_here: [10_000, 10] };
  await has(plain, rest);
  await has(combined, rest);
  await traced.until(() => calls('FREE', 1000) === 91, 'the releases');
  for (const tool of tools) {
    const { code, stderr } = await tool.end();
    assert.equal(code, 0, stderr);
  }
  assert.deepEqual(rowsOf(old), []);
});

test('what the kernel holds, by stack', async () => {
  await using actor = await Actor.start();
  await using tool = startTool('memleak', ['--json', '-o', '0', '-T', '100000', '-Z', '10000', '0.5']);
  await tool.ready();
  const PIPES = 40;
  await actor.perform(Array.from({ length: PIPES }, () => ({ name: 'pipe2' as const, args: [new Uint8Array(8), 0] })));
  // Each has an object and an array.
  await tool.until((seen) => {
    const table = seen.messages.findLast(({ type }) => type === 'table');
    const rows = ((table?.rows ?? []) as JsonMessage[]).filter(
      ({ kernel_stack, count, pid }) =>
        JSON.stringify(kernel_stack).includes('alloc_pipe_info') && Number(count) >= PIPES && pid === undefined,
    );
    return rows.length >= 2;
  }, 'the pipes');
  const { code, stderr } = await tool.end();
  assert.equal(code, 0, stderr);
});

test('a command that is given as one word is traced alone', async (t) => {
  using place = new TemporaryDirectory();
  const program = compiledProgram(
    t,
    place,
    'holder',
    '#include <stdlib.h>\nint main(int count, char **words) { void *volatile kept = malloc(count * 1000); return !kept; }',
  );
  if (program === undefined) {
    return;
  }
  const { code, rows, stderr } = await runTool('memleak', [
    '--json',
    '-t',
    '-z',
    '3000',
    '-Z',
    '3000',
    '-c',
    `${program} 'a b' c`,
  ]);
  assert.equal(code, 0, stderr);
  assert.deepEqual(
    rows.map(({ operation, bytes, comm }) => [operation, bytes, comm]),
    [['ALLOC', 3000, 'holder']],
  );
});

const many = `
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

static void *volatile block;

__attribute__((noinline)) void taken_here(void) { block = malloc(48); }

int main(void)
{
	sigset_t set;
	int number;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigprocmask(SIG_BLOCK, &set, 0);
	write(1, "ready\\n", 6);
	sigwait(&set, &number);
	for (int i = 0; i < 4000; i++)
		taken_here();
	write(1, "taken\\n", 6);
	pause();
	return 0;
}
`;

test('samples are drawn by lot, so that a loop of one length is no other than the rest', async (t) => {
  using place = new TemporaryDirectory();
  const program = compiledProgram(t, place, 'many', many);
  if (program === undefined) {
    return;
  }
  await using running = startCommand([program]);
  await running.until(({ stdout }) => stdout.includes('ready'));
  await using tool = startTool('memleak', ['--json', '-p', String(running.pid), '-o', '0', '-s', '4', '1000']);
  await tool.ready();
  running.process.kill('SIGUSR1');
  await running.until(({ stdout }) => stdout.includes('taken'));
  const { code, stderr } = await tool.end();
  assert.equal(code, 0, stderr);
  const count = rowsOf(tool).reduce(
    (sum, row) => sum + (Number(row.bytes) === 48 * Number(row.count) ? Number(row.count) : 0),
    0,
  );
  // Seven standard deviations.
  assert.ok(Math.abs(count - 1000) < 192, `${count} of 4000`);
});
