// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* How long tasks run, or do not run, at a time. */
#include "core.h"
#include "hist.h"
#include "other-task.h"
#include "sched.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_tracing.h>

const volatile bool off_cpu = false;
const volatile bool include_idle = false;
const volatile bool by_pid = false;
const volatile bool by_tid = false;

struct key {
	pid_t pid;
	thread_t tid;
};

struct times {
	slot_t slots[HIST_SLOTS];
	count_t total;
	comm_t comm[16];
};

HISTOGRAMS_WITH(hists, struct key, struct times, 10240);

/* Since when each CPU has run what it runs. */
SCRATCH(running, __u64, 1);

/* Since when threads have not run. */
COUNTED_MAP(away, BPF_MAP_TYPE_HASH, thread_t, __u64, 65536);

/* Idle threads, one for each CPU, have the same number: they get one of their own. */
static __always_inline thread_t thread_id(struct task_struct *task)
{
	thread_t tid = BPF_CORE_READ(task, pid);

	return tid ? tid : -1 - (thread_t)bpf_get_smp_processor_id();
}

static __always_inline bool wanted(struct task_struct *task)
{
	return (include_idle || BPF_CORE_READ(task, pid)) && wanted_other_task(task);
}

static __always_inline void add(struct task_struct *task, __u64 time)
{
	struct key key = {};
	struct times *times;

	if (by_pid || by_tid)
		key.pid = BPF_CORE_READ(task, tgid);
	if (by_tid)
		key.tid = BPF_CORE_READ(task, pid);
	times = hist_add(hists, &key, time);
	if (times && (by_pid || by_tid))
		BPF_CORE_READ_STR_INTO(&times->comm, task, comm);
}

static __always_inline void leave(struct task_struct *prev, __u64 now)
{
	thread_t tid = thread_id(prev);

	/* The dead do not come back. */
	if ((state_left_in(prev, false) & TASK_DEAD) || !wanted(prev))
		return;
	if (update_error(&away, &tid, &now, BPF_ANY) == -E2BIG)
		COUNT_DROPPED(away);
}

static __always_inline void come_back(struct task_struct *next, __u64 now)
{
	thread_t tid = thread_id(next);
	__u64 *since = bpf_map_lookup_elem(&away, &tid);

	if (!since)
		return;
	add(next, now > *since ? now - *since : 0);
	bpf_map_delete_elem(&away, &tid);
}

SEC("tp_btf/sched_switch")
int BPF_PROG(sched_switch__tp_btf, bool preempt, struct task_struct *prev, struct task_struct *next)
{
	__u64 now = bpf_ktime_get_ns();
	__u64 *since;

	if (off_cpu) {
		leave(prev, now);
		come_back(next, now);
		return 0;
	}
	since = scratch(running, 0);
	if (!since)
		return 0;
	/* 0: it ran already when the tracing began. */
	if (*since && wanted(prev))
		add(prev, now - *since);
	*since = now;
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
