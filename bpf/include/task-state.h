/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* What a thread does at the moment, as ps(1) tells it. */
#ifndef KSCOPE_TASK_STATE_H
#define KSCOPE_TASK_STATE_H

#include "other-task.h"
#include "sched.h"

#define UNINTERRUPTIBLE 0x2
#define STOPPED 0x4
#define TRACED 0x8
#define EXIT_DEAD 0x10
#define EXIT_ZOMBIE 0x20
#define PARKED 0x40
#define NOLOAD 0x400

enum thread_state {
	RUN,		/* on a processor */
	RUNQ,		/* waits for one */
	SLEEP,
	DISK,		/* waits without being interruptible, mostly for a device */
	IDLE,		/* a thread of the kernel that has nothing to do */
	STOP,
	TRACE,
	PARK,
	ZOMBIE,
	DEAD,
};

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct task_struct___exit {
	int exit_state;
};

#pragma clang attribute pop

static __always_inline enum thread_state state_of(struct task_struct *task)
{
	int exit = BPF_CORE_READ((struct task_struct___exit *)task, exit_state);
	__u32 state = state_left_in(task, false);

	if (exit & EXIT_ZOMBIE)
		return ZOMBIE;
	if (exit & EXIT_DEAD || state & TASK_DEAD)
		return DEAD;
	if (is_on_cpu(task))
		return RUN;
	if (state == TASK_RUNNING)
		return RUNQ;
	if (state & UNINTERRUPTIBLE)
		return state & NOLOAD ? IDLE : DISK;
	return state & STOPPED ? STOP : state & TRACED ? TRACE : state & PARKED ? PARK : SLEEP;
}

#endif
