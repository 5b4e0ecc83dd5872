/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * How long tasks wait for a processor once they can run: the programs that see
 * a wait begin, and a function for the one at sched:sched_switch, which sees
 * waits begin and end. Who is counted is decided where the wait begins.
 */
#ifndef KSCOPE_RUN_QUEUE_H
#define KSCOPE_RUN_QUEUE_H

#include "core.h"
#include "events.h"
#include "other-task.h"
#include "sched.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_tracing.h>

/* Since when tasks wait, by thread. */
COUNTED_MAP(waiting, BPF_MAP_TYPE_HASH, thread_t, __u64, 65536);

static __always_inline void begin_wait(struct task_struct *task, __u64 flags)
{
	thread_t tid = BPF_CORE_READ(task, pid);
	__u64 now;

	/* Idle threads have no turn to wait for. */
	if (!tid || !wanted_other_task(task))
		return;
	now = bpf_ktime_get_ns();
	if (update_error(&waiting, &tid, &now, flags) == -E2BIG)
		COUNT_DROPPED(waiting);
}

static __always_inline int woken(struct task_struct *task)
{
	/* One that is about to sleep but still runs is only told not to. */
	if (is_on_cpu(task))
		return 0;
	/* One that was preempted on its way to sleep waits already. */
	begin_wait(task, BPF_NOEXIST);
	return 0;
}

SEC("tp_btf/sched_wakeup")
int BPF_PROG(sched_wakeup__tp_btf, struct task_struct *task)
{
	return woken(task);
}

SEC("tp_btf/sched_wakeup_new")
int BPF_PROG(sched_wakeup_new__tp_btf, struct task_struct *task)
{
	return woken(task);
}

static __always_inline void stop_running(struct task_struct *prev, bool preempt)
{
	thread_t tid = BPF_CORE_READ(prev, pid);

	if (state_left_in(prev, preempt) == TASK_RUNNING)
		begin_wait(prev, BPF_ANY);
	/* A kernel may hide tasks from tracing, and with one of them the moment at which it made room for this one. */
	else if (bpf_map_lookup_elem(&waiting, &tid))
		bpf_map_delete_elem(&waiting, &tid);
}

/* At sched:sched_switch: whether it is known since when `next` has waited, and then how many nanoseconds it was. */
static __always_inline bool has_waited(bool preempt, struct task_struct *prev, struct task_struct *next, __u64 *time)
{
	thread_t tid = BPF_CORE_READ(next, pid);
	__u64 *since, now;

	stop_running(prev, preempt);
	since = bpf_map_lookup_elem(&waiting, &tid);
	if (!since)
		return false;
	now = bpf_ktime_get_ns();
	*time = now > *since ? now - *since : 0;
	bpf_map_delete_elem(&waiting, &tid);
	return true;
}

#endif
