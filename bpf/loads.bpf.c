// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* The tasks that make the load: user space adds the averages. */
#include "core.h"
#include "iter.h"
#include "task-state.h"
#include <bpf/bpf_tracing.h>

struct row {
	load_t load1;
	load_t load5;
	load_t load15;
	__u32 running;
	__u32 blocked;
	__u32 threads;
};

const struct row *const rows_record SEC(".types");

struct row sums = {};

SEC("iter/task")
int tasks(struct bpf_iter__task *ctx)
{
	struct task_struct *task = ctx->task;
	__u32 state;

	if (!ctx->meta->seq_num && task)
		__builtin_memset(&sums, 0, sizeof(sums));
	/* Behind the last one. */
	if (!task) {
		bpf_seq_write(ctx->meta->seq, &sums, sizeof(sums));
		return 0;
	}
	/* This very process runs whenever it looks. */
	if (BPF_CORE_READ(task, tgid) == ignored_pid || !wanted_other_task(task) ||
	    BPF_CORE_READ((struct task_struct___exit *)task, exit_state))
		return 0;
	state = state_left_in(task, false);
	sums.threads++;
	sums.running += state == TASK_RUNNING;
	/* A task that only waits for work has the other bit as well. */
	sums.blocked += (state & UNINTERRUPTIBLE) && !(state & NOLOAD);
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
