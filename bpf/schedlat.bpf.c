// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* How long threads have run, and how long they have waited for a processor, as the scheduler adds it up. */
#include "core.h"
#include "iter.h"
#include "rq.h"
#include "task-state.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

const volatile bool with_kernel = false;

struct row {
	pid_t pid;
	thread_t tid;
	comm_t comm[16];
	enum thread_state state;
	__u32 start_ticks;	/* hundredths of a second, as /proc/PID/stat has it */
	ns_t cpu_time;
	ns_t wait_time;
	ns_t elapsed;		/* since it began */
};

const struct row *const rows_record SEC(".types");

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct rq___clock {
	__u64 clock;
};

struct sched_entity___runtime {
	__u64 sum_exec_runtime;
};

struct sched_info {
	unsigned long long run_delay;
	unsigned long long last_queued;
};

struct task_struct___times {
	struct sched_entity___runtime se;
	struct sched_info sched_info;
};

#pragma clang attribute pop

/*
 * The scheduler adds a wait when it is over. Of one that goes on there is when
 * it began, by the clock of the processor, which stands still between ticks.
 */
static __always_inline __u64 unfinished_wait(struct task_struct *task)
{
	__u64 since = BPF_CORE_READ((struct task_struct___times *)task, sched_info.last_queued);
	struct rq___clock *queue;
	__u64 clock;

	if (!since || !bpf_core_field_exists(struct sched_entity, cfs_rq))
		return 0;
	queue = (void *)queue_of((void *)task);
	clock = BPF_CORE_READ(queue, clock);
	return clock > since ? clock - since : 0;
}

SEC("iter/task")
int tasks(struct bpf_iter__task *ctx)
{
	struct task_struct *task = ctx->task;
	struct task_struct___times *times = (void *)task;
	struct row row = {};
	__u64 start;

	if (!task || !wanted_other_task(task) || (!with_kernel && is_kernel_thread(task)))
		return 0;
	row.pid = BPF_CORE_READ(task, tgid);
	row.tid = BPF_CORE_READ(task, pid);
	BPF_CORE_READ_STR_INTO(&row.comm, task, comm);
	row.state = state_of(task);
	row.cpu_time = BPF_CORE_READ(times, se.sum_exec_runtime);
	row.wait_time = BPF_CORE_READ(times, sched_info.run_delay) + unfinished_wait(task);
	start = BPF_CORE_READ(task, start_boottime);
	row.start_ticks = start / 10000000;
	row.elapsed = bpf_ktime_get_boot_ns() - start;
	bpf_seq_write(ctx->meta->seq, &row, sizeof(row));
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
