import type { TestContext } from 'node:test';
import { compiledProgram } from './compiled-program.ts';
import type { TemporaryDirectory } from './temporary-directory.ts';

// Functions of known names, with frame pointers all the way up to main: system calls are made without the C library.
const source = `
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define KEPT __attribute__((noinline, noipa))
#ifdef __clang__
#undef KEPT
#define KEPT __attribute__((noinline, optnone))
#endif

static inline __attribute__((always_inline)) long call(long number, long a, long b, long c)
{
#if defined(__x86_64__)
	long result;

	__asm__ volatile("syscall" : "=a"(result) : "a"(number), "D"(a), "S"(b), "d"(c) : "rcx", "r11", "memory");
	return result;
#else
	register long x8 __asm__("x8") = number, x0 __asm__("x0") = a, x1 __asm__("x1") = b, x2 __asm__("x2") = c;

	__asm__ volatile("svc 0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2) : "memory");
	return x0;
#endif
}

static double now(clockid_t clock)
{
	struct timespec time;

	clock_gettime(clock, &time);
	return time.tv_sec + time.tv_nsec / 1e9;
}

volatile unsigned long counter;

KEPT void spin_in_here(double seconds)
{
	double end = now(CLOCK_PROCESS_CPUTIME_ID) + seconds;

	do {
		for (int i = 0; i < 5000000; i++)
			counter++;
	} while (now(CLOCK_PROCESS_CPUTIME_ID) < end);
	counter++;
}

KEPT void sleep_in_here(long milliseconds)
{
	struct timespec time = { milliseconds / 1000, milliseconds % 1000 * 1000000 };

	call(SYS_nanosleep, (long)&time, 0, 0);
	counter++;
}

KEPT void wait_in_here(int fd)
{
	char byte;

	call(SYS_read, fd, (long)&byte, 1);
	counter++;
}

KEPT void wake_in_here(int fd)
{
	call(SYS_write, fd, (long)"x", 1);
	counter++;
}

KEPT void open_in_here(const char *path)
{
	call(SYS_close, call(SYS_openat, -100, (long)path, 0), 0, 0);
	/* Keeps the frame of a function that calls none. */
	counter += !!__builtin_frame_address(0);
}

int main(int count, char **args)
{
	double from;

	if (count == 3 && !strcmp(args[1], "open")) {
		for (int i = 0; i < atoi(args[2]); i++)
			open_in_here(args[0]);
		puts("opened");
		fflush(stdout);
		pause();
		return 0;
	}

	if (count > 2 && !strcmp(args[1], "spin")) {
		if (count > 3)
			unlink(args[0]);
		spin_in_here(atof(args[2]));
		return 0;
	}
	if (count == 4 && !strcmp(args[1], "sleep")) {
		from = now(CLOCK_MONOTONIC);
		for (int i = 0; i < atoi(args[3]); i++)
			sleep_in_here(atoi(args[2]));
		printf("%.0f\\n", (now(CLOCK_MONOTONIC) - from) * 1e6);
		fflush(stdout);
		pause();
		return 0;
	}
	if (count == 4 && !strcmp(args[1], "wake")) {
		int ends[2];

		if (pipe(ends))
			return 1;
		if (fork()) {
			prctl(PR_SET_NAME, "the-waker");
			for (int i = 0; i < atoi(args[3]); i++) {
				sleep_in_here(atoi(args[2]));
				wake_in_here(ends[1]);
			}
			return 0;
		}
		prctl(PR_SET_NAME, "the-sleeper");
		for (int i = 0; i < atoi(args[3]); i++)
			wait_in_here(ends[0]);
		return 0;
	}
	return 99;
}
`;

/**
 * Compiles a program whose functions have known names and whole stacks. Skips the test where there is no C compiler.
 *
 *     stacks spin SECONDS [unlink]   so much processor time in spin_in_here(), its own file deleted before
 *     stacks sleep MS COUNT          so often so long in sleep_in_here(); prints the microseconds that it took, and stays
 *     stacks open COUNT              opens its own file so often in open_in_here(), says so, and stays
 *     stacks wake MS COUNT           "the-waker" wakes "the-sleeper", in wait_in_here(), so often, after so long
 *
 * @returns the path of the program
 */
export function stacksProgram(t: TestContext, directory: TemporaryDirectory): string | undefined {
  return compiledProgram(t, directory, 'stacks', source);
}
