// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* What all threads do at a moment, as the kernel lists them. */
#include "core.h"
#include "iter.h"
#include "compat.h"
#include "lock-functions.h"
#include "other-task.h"
#include "sched.h"
#include "syscall.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#define DEPTH 16

#define INTERRUPTIBLE 0x1
#define UNINTERRUPTIBLE 0x2
#define STOPPED 0x4
#define TRACED 0x8
#define EXIT_DEAD 0x10
#define EXIT_ZOMBIE 0x20
#define PARKED 0x40
#define NOLOAD 0x400

const volatile bool with_sleeping = false;
const volatile bool with_kernel = false;

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

struct row {
	pid_t pid;
	thread_t tid;
	uid_t uid;
	comm_t comm[16];
	enum thread_state state;
	syscall_t syscall;
	addr_t address;		/* where in the kernel it waits, 0: it does not */
	addr_t frames[DEPTH];
};

const struct row *const rows_record SEC(".types");

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
	if (BPF_CORE_READ((struct task_struct___other *)task, on_cpu))
		return RUN;
	if (state == TASK_RUNNING)
		return RUNQ;
	if (state & UNINTERRUPTIBLE)
		return state & NOLOAD ? IDLE : DISK;
	return state & STOPPED ? STOP : state & TRACED ? TRACE : state & PARKED ? PARK : SLEEP;
}

/* The system call of a thread that is not on a processor: on one, it may have left it. */
static __always_inline __u32 syscall_of(struct task_struct *task)
{
	struct pt_regs *regs = BPF_CORE_READ(task, stack) + THREAD_SIZE - bpf_core_type_size(struct pt_regs);
#if defined(__TARGET_ARCH_x86)
	long number = BPF_CORE_READ(regs, orig_ax);
#else
	int number = BPF_CORE_READ((struct pt_regs___number *)regs, syscallno);
#endif

	/* Negative: it came in by an interrupt or a fault. */
	return number < 0 ? NO_SYSCALL : number;
}

SEC("iter/task")
int threads(struct bpf_iter__task *ctx)
{
	struct task_struct *task = ctx->task;
	struct row row = {};
	long size;

	if (!task || !wanted_other_task(task) || (!with_kernel && is_kernel_thread(task)))
		return 0;
	row.state = state_of(task);
	if (!with_sleeping && row.state != RUN && row.state != RUNQ && row.state != DISK)
		return 0;
	row.pid = BPF_CORE_READ(task, tgid);
	row.tid = BPF_CORE_READ(task, pid);
	row.uid = BPF_CORE_READ((struct task_struct___other *)task, cred, uid.val);
	BPF_CORE_READ_STR_INTO(&row.comm, task, comm);
	row.syscall = row.state == RUN || row.state == ZOMBIE || row.state == DEAD || is_kernel_thread(task) ?
			      NO_SYSCALL : syscall_of(task);
	size = row.state == RUN ? 0 : bpf_get_task_stack(task, row.frames, sizeof(row.frames), 0);
	for (int i = 0; i < DEPTH; i++) {
		if ((i + 1) * 8 > size)
			break;
		if (!is_lock_function(row.frames[i])) {
			row.address = row.frames[i];
			break;
		}
	}
	bpf_seq_write(ctx->meta->seq, &row, sizeof(row));
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
