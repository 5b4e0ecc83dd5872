/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Where calls of a program return to whose return is hooked. For that the
 * kernel puts the address of its own code on the user stack, and keeps the one
 * that was there. Stacks have the former before 4a365eb8a6d9 ("perf,uprobes:
 * fix user stack traces in the presence of pending uretprobes", 6.11).
 */
#ifndef KSCOPE_HOOKED_RETURNS_H
#define KSCOPE_HOOKED_RETURNS_H

#include "core.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>

/* How many calls under way are looked at. */
#define HOOKED_RETURNS 16

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct return_instance {
	unsigned long stack;
	unsigned long orig_ret_vaddr;
	bool chained;
	struct return_instance *next;
};

struct uprobe_task {
	struct return_instance *return_instances;
};

struct uprobe_task___entry {
	void *auprobe;
};

struct task_struct___uprobes {
	struct uprobe_task *utask;
};

#pragma clang attribute pop

/*
 * cfa7f3d2c526 ("perf,x86: avoid missing caller address in stack traces
 * captured in uprobe", 6.12): before, a function that has only begun seems to
 * be called by the caller of its caller.
 */
static __always_inline bool stacks_miss_callers(void)
{
	return !bpf_core_field_exists(struct uprobe_task___entry, auprobe);
}

/*
 * At the return of a user function: where the calls that it is part of return
 * to, innermost first, 0 in between for those that have their place on the
 * stack in common. @frame: where the return address was; 0 for a function of
 * the kernel. Returns where this one returns to, if stacks miss that.
 */
static __always_inline addr_t hooked_returns(__u64 frame, addr_t *returns)
{
	struct task_struct___uprobes *task = (void *)bpf_get_current_task();
	struct return_instance *call = NULL;
	addr_t caller = 0;

	if (frame && bpf_core_field_exists(struct return_instance, chained))
		call = BPF_CORE_READ(task, utask, return_instances);
	for (int i = 0; i < HOOKED_RETURNS; i++) {
		returns[i] = 0;
		if (!call)
			continue;
		if (BPF_CORE_READ(call, stack) == frame)
			caller = BPF_CORE_READ(call, orig_ret_vaddr);
		else if (!BPF_CORE_READ(call, chained))
			returns[i] = BPF_CORE_READ(call, orig_ret_vaddr);
		call = BPF_CORE_READ(call, next);
	}
	return stacks_miss_callers() ? caller : 0;
}

#endif
