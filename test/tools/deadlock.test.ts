import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compiledProgram } from '../helpers/compiled-program.ts';
import { type JsonMessage, startCommand, startTool } from '../helpers/run-tool.ts';
import { TemporaryDirectory } from '../helpers/temporary-directory.ts';
import { watch } from '../helpers/watch.ts';

const source = `
#include <pthread.h>
#include <stdio.h>
#include <unistd.h>

static pthread_mutex_t a = PTHREAD_MUTEX_INITIALIZER, b = PTHREAD_MUTEX_INITIALIZER, c = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t tried = PTHREAD_MUTEX_INITIALIZER, gone = PTHREAD_MUTEX_INITIALIZER, again;

__attribute__((noinline)) static void both(pthread_mutex_t *first, pthread_mutex_t *second)
{
	pthread_mutex_lock(first);
	pthread_mutex_lock(second);
	pthread_mutex_unlock(second);
	pthread_mutex_unlock(first);
}

static void wait_for_input(void)
{
	char byte;

	read(0, &byte, 1);
}

void *takes_ab(void *arg) { both(&a, &b); both(&a, &b); asm volatile(""); return arg; }
void *takes_bc(void *arg) { both(&b, &c); asm volatile(""); return arg; }
void *takes_ca(void *arg) { both(&c, &a); asm volatile(""); return arg; }

/* Against the order, but without waiting. */
void *tries(void *arg)
{
	both(&tried, &a);
	pthread_mutex_lock(&a);
	if (!pthread_mutex_trylock(&tried))
		pthread_mutex_unlock(&tried);
	pthread_mutex_unlock(&a);
	return arg;
}

/* A mutex of its own in the same place, each time. */
void *destroys(void *arg)
{
	both(&gone, &a);
	pthread_mutex_destroy(&gone);
	pthread_mutex_init(&gone, NULL);
	both(&a, &gone);
	return arg;
}

/* What one thread holds already, it does not wait for. */
void *repeats(void *arg)
{
	pthread_mutexattr_t attr;

	pthread_mutexattr_init(&attr);
	pthread_mutexattr_settype(&attr, PTHREAD_MUTEX_RECURSIVE);
	pthread_mutex_init(&again, &attr);
	pthread_mutex_lock(&again);
	pthread_mutex_lock(&c);
	pthread_mutex_lock(&again);
	pthread_mutex_unlock(&again);
	pthread_mutex_unlock(&c);
	pthread_mutex_unlock(&again);
	return arg;
}

int main(void)
{
	void *(*threads[])(void *) = { takes_ab, takes_bc, tries, destroys, repeats, takes_ca };
	pthread_t thread;

	printf("%p %p %p Ctrl-C\\n", &a, &b, &c);
	fflush(stdout);
	wait_for_input();
	for (int i = 0; i < 6; i++) {
		pthread_create(&thread, NULL, threads[i], NULL);
		pthread_join(thread, NULL);
	}
	puts("done");
	fflush(stdout);
	wait_for_input();
	return 0;
}
`;

test('orders that contradict each other are found, and only those', async (t) => {
  using directory = new TemporaryDirectory();
  const file = compiledProgram(t, directory, 'locking', source);
  if (file === undefined) {
    return;
  }
  await using program = startCommand([file], { stdio: ['pipe', 'pipe', 'pipe'] });
  await program.until(({ stdout }) => stdout.includes('Ctrl-C'));
  const [a, b, c] = program.stdout.split(' ');
  const mine = ['-p', String(program.pid)];
  await using small = startTool('deadlock', ['--json', '-a', '-t', '64', '-e', '2', '-s', '64', String(program.pid)]);
  await small.ready();
  const seen = await watch(
    'deadlock',
    {
      cycles: ['--json', ...mine],
      all: ['--json', '-a', ...mine],
      text: [String(program.pid)],
    },
    async ({ cycles, text }) => {
      program.process.stdin?.write('x');
      await program.until(({ stdout }) => stdout.includes('done'));
      // Stacks have names as long as the process is there.
      await cycles.until(({ rows }) => rows.length === 3);
      await text.until(({ stdout }) => stdout.split('takes_ca').length > 1);
    },
  );
  program.process.stdin?.write('x');
  const { rows } = seen.cycles;
  assert.deepEqual(
    rows.map(({ cycle, pid, comm, held, wanted }) => ({ cycle, pid, comm, held, wanted })),
    [
      [c, a],
      [a, b],
      [b, c],
    ].map(([held, wanted]) => ({ cycle: 1, pid: program.pid, comm: 'locking', held, wanted })),
  );
  assert.equal(new Set(rows.map(({ tid }) => tid)).size, 3);
  const functions = ({ stack }: JsonMessage) => (stack as { symbol?: string }[]).map(({ symbol }) => symbol);
  assert.deepEqual(
    rows.map((row) => functions(row).find((name) => name?.startsWith('takes_'))),
    ['takes_ca', 'takes_ab', 'takes_bc'],
  );
  // Each order once, however often it was seen.
  const orders = seen.all.rows.filter(({ cycle }) => cycle === undefined);
  const of = (held: unknown, wanted: unknown) =>
    orders.filter((row) => row.held === held && row.wanted === wanted).length;
  assert.deepEqual([of(a, b), of(b, c), of(c, a), of(b, a)], [1, 1, 1, 0]);
  // And those of three mutexes that are in no cycle: a is wanted by who holds two of them, and holds one of them.
  assert.equal(orders.length, 3 + 1 + 2 + 1);
  // The first two found room, and what did not is told.
  const lost = (await small.end()).messages.filter(({ type }) => type === 'lost');
  assert.deepEqual([lost.at(-1)?.what, lost.at(-1)?.total], ['entries of edges', 5]);
  const [header = '', first = ''] = seen.text.stdout.split('\n');
  assert.equal(header.trim().split(/ +/).join(' '), 'TIME CYCLE PID TID COMM HELD WANTED');
  assert.match(first, new RegExp(` 1 +${program.pid} +\\d+ locking +${c} +${a}`));
});

test('of more mutexes than a thread can be seen to hold the rest are told to be lost', async (t) => {
  using directory = new TemporaryDirectory();
  const file = compiledProgram(
    t,
    directory,
    'holding',
    `
#include <pthread.h>
#include <stdio.h>
#include <unistd.h>

int main(void)
{
	static pthread_mutex_t all[18];
	char byte;

	puts("Ctrl-C");
	fflush(stdout);
	read(0, &byte, 1);
	for (int i = 0; i < 18; i++) {
		pthread_mutex_init(&all[i], NULL);
		pthread_mutex_lock(&all[i]);
	}
	for (int i = 17; i >= 0; i--)
		pthread_mutex_unlock(&all[i]);
	puts("done");
	fflush(stdout);
	return read(0, &byte, 1) < 0;
}
`,
  );
  if (file === undefined) {
    return;
  }
  await using program = startCommand([file], { stdio: ['pipe', 'pipe', 'pipe'] });
  await program.until(({ stdout }) => stdout.includes('Ctrl-C'));
  await using tool = startTool('deadlock', ['--json', '-a', '-p', String(program.pid)]);
  await tool.ready();
  program.process.stdin?.write('x');
  await program.until(({ stdout }) => stdout.includes('done'));
  const { rows, messages } = await tool.end();
  program.process.stdin?.write('x');
  const lost = messages.filter(({ type }) => type === 'lost').at(-1);
  assert.deepEqual([lost?.what, lost?.total], ['entries of locks held', 2]);
  // Each of those that it is known to hold was held when the next ones were wanted.
  assert.equal(rows.length, (16 * 15) / 2 + 2 * 16);
});
