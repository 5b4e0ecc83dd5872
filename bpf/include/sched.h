/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* What the scheduler says of a task when it leaves a processor. */
#ifndef KSCOPE_SCHED_H
#define KSCOPE_SCHED_H

#include "core.h"
#include <bpf/bpf_core_read.h>

#define PF_KTHREAD 0x00200000

#define TASK_RUNNING 0
#define TASK_DEAD 0x80

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct task_struct___sched {
	unsigned int flags;
	unsigned int __state;
};

/* 2f064a59a11f ("sched: Change task_struct::state", 5.14) */
struct task_struct___state {
	long state;
};

#pragma clang attribute pop

/* The state of the task that is switched from; one that was preempted goes on running whatever it says. */
static __always_inline __u32 state_left_in(struct task_struct *prev, bool preempted)
{
	struct task_struct___sched *task = (void *)prev;

	if (preempted)
		return TASK_RUNNING;
	if (bpf_core_field_exists(task->__state))
		return BPF_CORE_READ(task, __state);
	return BPF_CORE_READ((struct task_struct___state *)prev, state);
}

static __always_inline bool is_kernel_thread(struct task_struct *task)
{
	return BPF_CORE_READ((struct task_struct___sched *)task, flags) & PF_KTHREAD;
}

#endif
