import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import type { TemporaryDirectory } from './temporary-directory.ts';

// Threads that end as POSIX threads do, without a runtime that has threads of its own.
const source = `
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static pthread_barrier_t barrier;

static void end(long code)
{
	syscall(SYS_exit, code);
}

static void *wait_for_input(void *code)
{
	char byte;

	if (read(0, &byte, 1) < 0)
		abort();
	end((long)code);
	return NULL;
}

static void *wait_for_all(void *code)
{
	pthread_barrier_wait(&barrier);
	end((long)code);
	return NULL;
}

static void start(void *(*run)(void *), long code)
{
	pthread_t thread;

	if (pthread_create(&thread, NULL, run, (void *)code))
		abort();
}

int main(int count, char **args)
{
	if (count == 4 && !strcmp(args[1], "last")) {
		start(wait_for_input, atoi(args[3]));
		end(atoi(args[2]));
	}
	if (count == 4 && !strcmp(args[1], "together")) {
		int threads = atoi(args[3]);

		pthread_barrier_init(&barrier, NULL, threads + 1);
		for (int i = 1; i <= threads; i++)
			start(wait_for_all, i);
		pthread_barrier_wait(&barrier);
		end(atoi(args[2]));
	}
	return 99;
}
`;

/**
 * Compiles a program that ends thread by thread. Skips the test where there is no C compiler.
 *
 *     threads last FIRST LAST        the main thread ends with FIRST, another one with LAST when there is input
 *     threads together MAIN COUNT    COUNT threads end at once, with 1 to COUNT, and the main thread with MAIN
 *
 * @returns the path of the program
 */
export function threadsProgram(t: TestContext, directory: TemporaryDirectory): string | undefined {
  const program = join(directory.path, 'threads');
  const file = `${program}.c`;
  writeFileSync(file, source);
  for (const compiler of ['cc', 'gcc', 'clang']) {
    const { status, stderr } = spawnSync(compiler, ['-O1', '-pthread', '-o', program, file], { encoding: 'utf8' });
    if (status === 0) {
      return program;
    }
    if (status !== null && stderr.includes('error:')) {
      throw new Error(stderr);
    }
  }
  t.skip('there is no C compiler');
  return undefined;
}
