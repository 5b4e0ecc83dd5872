/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* Whether the current task does what happens, or was interrupted by it. */
#ifndef KSCOPE_TASK_CONTEXT_H
#define KSCOPE_TASK_CONTEXT_H

#include "compat.h"

#define PF_KTHREAD 0x200000

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct thread_info {
	__u64 preempt_count;
};

struct task_struct___context {
	unsigned int flags;
	struct thread_info thread_info;
};

#pragma clang attribute pop

#if defined(__TARGET_ARCH_x86)

/*
 * What counts interrupts has no name in all kernels. But they have stacks of
 * their own, where a tracepoint's arguments are then.
 */
static __always_inline bool interrupts(const struct task_struct *task, const void *arguments)
{
	__u64 at = 0;

	/* A pointer is not subtracted from, a number is. */
	bpf_probe_read_kernel(&at, sizeof(at), &arguments);
	return at - (__u64)BPF_CORE_READ(task, stack) >= THREAD_SIZE;
}

#elif defined(__TARGET_ARCH_arm64)

/* Of the count that is not 0 where there is no preemption: a soft interrupt is served, a hard one, an NMI. */
#define SERVES_INTERRUPT 0x00ff0100

static __always_inline bool interrupts(const struct task_struct *task, const void *arguments)
{
	const struct task_struct___context *current = (const void *)task;

	return BPF_CORE_READ(current, thread_info.preempt_count) & SERVES_INTERRUPT;
}

#endif

/* Whether a process does it, and no interrupt or thread of the kernel. `ctx` is that of a program at tp_btf. */
static __always_inline bool by_process(const void *ctx)
{
	const struct task_struct *task = (const void *)bpf_get_current_task();

	return !(BPF_CORE_READ((const struct task_struct___context *)task, flags) & PF_KTHREAD) && !interrupts(task, ctx);
}

#endif
