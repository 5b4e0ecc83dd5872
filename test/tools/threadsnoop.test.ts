import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cgroupOf } from '../helpers/cgroup.ts';
import { compiledProgram } from '../helpers/compiled-program.ts';
import { startCommand } from '../helpers/run-tool.ts';
import { TemporaryDirectory } from '../helpers/temporary-directory.ts';
import { watch } from '../helpers/watch.ts';

const source = `
#define _GNU_SOURCE
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

void *first_function(void *arg) { pthread_exit(arg); }
void *second_function(void *arg) { return arg; }

static int bare(void *arg)
{
	syscall(60, 0);
	return 0;
}

static void wait_for_input(void)
{
	char byte;

	read(0, &byte, 1);
}

int main(void)
{
	pthread_attr_t huge;
	pthread_t thread;
	char *stack = mmap(NULL, 65536, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	puts("Ctrl-C");
	fflush(stdout);
	wait_for_input();
	for (int i = 0; i < 5; i++) {
		pthread_create(&thread, NULL, i % 2 ? second_function : first_function, NULL);
		pthread_join(thread, NULL);
	}
	pthread_attr_init(&huge);
	pthread_attr_setstacksize(&huge, 1UL << 46);
	if (!pthread_create(&thread, &huge, second_function, NULL))
		return 1;
	/* As a library of its own makes threads; it ends by itself. */
	if (clone(bare, stack + 65536, CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM, NULL) < 0)
		return 2;
	puts("done");
	fflush(stdout);
	wait_for_input();
	return 0;
}
`.replace('syscall(60, 0)', `syscall(${process.arch === 'arm64' ? 93 : 60}, 0)`);

test('each thread is a row with the function that it begins with, and so is one that could not be made', async (t) => {
  using directory = new TemporaryDirectory();
  const file = compiledProgram(t, directory, 'threads', source);
  if (file === undefined) {
    return;
  }
  await using program = startCommand([file], { stdio: ['pipe', 'pipe', 'pipe'] });
  await program.until(({ stdout }) => stdout.includes('Ctrl-C'));
  const pid = program.pid;
  const seen = await watch(
    'threadsnoop',
    {
      all: ['--json', '-p', String(pid)],
      failed: ['--json', '-x', '-p', String(pid)],
      others: ['--json', '-p', String(process.ppid)],
      text: ['-I', '-p', String(pid)],
    },
    async ({ all, failed, text }) => {
      program.process.stdin?.write('x');
      await program.until(({ stdout }) => stdout.includes('done'));
      // Names are looked up while the process lives.
      await all.until(({ rows }) => rows.length === 7);
      await failed.until(({ rows }) => rows.length === 1);
      await text.until(({ stdout }) => stdout.split('\n').length > 8);
    },
  );
  program.process.stdin?.write('x');
  assert.equal((await program.ended()).code, 0);

  const own = { pid, tid: pid, uid: 0, comm: 'threads', cgroup: cgroupOf(process.pid) };
  const threads = seen.all.rows.filter(({ new_tid }) => new_tid !== undefined).map(({ new_tid }) => Number(new_tid));
  assert.equal(new Set(threads).size, 6);
  assert.ok(threads.every((tid) => tid > 1 && tid !== pid));
  assert.deepEqual(
    seen.all.rows.map(({ type, time, new_tid, address, ...row }) => ({ ...row, made: new_tid !== undefined })),
    [
      ...['first', 'second', 'first', 'second', 'first'].map((name) => ({
        ...own,
        func: `${name}_function`,
        made: true,
      })),
      { ...own, error: 11, func: 'second_function', made: false },
      { ...own, made: true },
    ],
  );
  assert.deepEqual(
    seen.all.rows.map(({ address }) => address !== undefined),
    [true, true, true, true, true, true, false],
  );
  assert.deepEqual(
    seen.failed.rows.map(({ error, func }) => ({ error, func })),
    [{ error: 11, func: 'second_function' }],
  );
  assert.deepEqual(seen.others.rows, []);
  const [header = '', ...lines] = seen.text.stdout.trimEnd().split('\n');
  assert.equal(header.split(/ +/).join(' '), 'TIME PID COMM TID NEWTID ERR FUNC');
  assert.match(lines[5] ?? '', / threads +\d+ +- EAGAIN +second_function$/);
  assert.match(lines[6] ?? '', / threads +\d+ +\d+ - +-$/);
});
