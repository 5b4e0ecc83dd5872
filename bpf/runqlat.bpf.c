// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* How long tasks wait for a processor once they can run. */
#include "core.h"
#include "hist.h"
#include "other-task.h"
#include "sched.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_tracing.h>

const volatile bool by_pid = false;
const volatile bool by_tid = false;
const volatile bool by_pidns = false;

struct key {
	pid_t pid;
	thread_t tid;
	__u32 pidns;
};

struct latency {
	slot_t slots[HIST_SLOTS];
	count_t total;
	comm_t comm[16];
};

HISTOGRAMS_WITH(hists, struct key, struct latency, 10240);

/* Since when tasks wait, by thread. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 65536);
	__type(key, thread_t);
	__type(value, __u64);
} waiting SEC(".maps");
DROP_COUNTER(waiting);

static __always_inline void begin_wait(struct task_struct *task, __u64 flags)
{
	thread_t tid = BPF_CORE_READ(task, pid);
	__u64 now;

	/* Idle threads have no turn to wait for. */
	if (!tid || !wanted_other_task(task))
		return;
	now = bpf_ktime_get_ns();
	if (bpf_map_update_elem(&waiting, &tid, &now, flags) == -E2BIG)
		COUNT_DROPPED(waiting);
}

static __always_inline int woken(struct task_struct *task)
{
	struct task_struct___other *other = (void *)task;

	/* One that is about to sleep but still runs is only told not to. */
	if (bpf_core_field_exists(other->on_cpu) && BPF_CORE_READ(other, on_cpu))
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

SEC("tp_btf/sched_switch")
int BPF_PROG(sched_switch__tp_btf, bool preempt, struct task_struct *prev, struct task_struct *next)
{
	thread_t tid = BPF_CORE_READ(next, pid);
	struct key key = {};
	struct latency *latency;
	__u64 *since, now;

	if (state_left_in(prev, preempt) == TASK_RUNNING)
		begin_wait(prev, BPF_ANY);

	since = bpf_map_lookup_elem(&waiting, &tid);
	if (!since)
		return 0;
	now = bpf_ktime_get_ns();
	if (by_pid || by_tid)
		key.pid = BPF_CORE_READ(next, tgid);
	if (by_tid)
		key.tid = tid;
	if (by_pidns)
		key.pidns = task_pidns(next);
	latency = hist_add(hists, &key, now > *since ? now - *since : 0);
	if (latency && (by_pid || by_tid))
		BPF_CORE_READ_STR_INTO(&latency->comm, next, comm);
	bpf_map_delete_elem(&waiting, &tid);
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
