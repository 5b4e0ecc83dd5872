/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* System calls, where they begin and return. */
#ifndef KSCOPE_SYSCALL_EXIT_H
#define KSCOPE_SYSCALL_EXIT_H

#include "compat.h"
#include <bpf/bpf_tracing.h>

/*
 * "bpf: Add sleepable support for classic tracepoint programs" (7.2): programs
 * at the tracepoints of system calls may be preempted, and as long as one is,
 * the kernel skips it for all other tasks of that CPU. Where that is so, user
 * space hooks the programs of SEC("tp/syscalls/sys_exit_NAME") to the return of
 * the function of that system call instead, and those of sys_enter_NAME to its
 * entry, which are never preempted, and sets this. The context is then that of
 * the function: nothing of it may be used but syscall_result().
 */
const volatile bool syscalls_at_functions = false;

/* What the system call returns. The arguments: current_user_regs(). */
static __always_inline long syscall_result(struct syscall_trace_exit *ctx)
{
	long result;

	if (syscalls_at_functions) {
		result = PT_REGS_RC((struct pt_regs *)ctx);
		/* One load behind both branches would be of a pointer into the context, which is refused. */
		barrier_var(result);
	} else {
		result = ctx->ret;
	}
	return result;
}

#endif
