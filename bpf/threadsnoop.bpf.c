// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* New threads, and the functions that they begin with. */
#include "filter.h"
#include "probe.h"

#define CLONE_THREAD 0x00010000

const volatile bool failed_only = false;

struct event {
	boot_ns_t time;
	pid_t pid;
	thread_t tid;
	uid_t uid;
	comm_t comm[16];
	maybe_pid_t new_tid;
	errno_t error;
	maybe_addr_t start;
	cgroup_id_t cgroup;
};

EVENT_RING(events, event);

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct trace_event_raw_task_newtask {
	int pid;
	unsigned long clone_flags;
};

#pragma clang attribute pop

/* Start functions of the calls of pthread_create() that have not made their thread yet. */
ENTRY_MAP(calls, __u64);

static __always_inline void show(__u64 id, thread_t new_tid, __u64 start, int error)
{
	struct event *event = event_reserve(events, event);

	if (!event)
		return;
	event->time = bpf_ktime_get_boot_ns();
	event->pid = id >> 32;
	event->tid = id;
	event->uid = bpf_get_current_uid_gid();
	bpf_get_current_comm(event->comm, sizeof(event->comm));
	event->new_tid = new_tid;
	event->error = error;
	event->start = start;
	event->cgroup = bpf_get_current_cgroup_id();
	event_submit(event);
}

SEC("uprobe")
int BPF_KPROBE(create_begins, void *thread, void *attributes, void *start)
{
	__u64 function = (__u64)start;

	if (wanted_task(bpf_get_current_pid_tgid()))
		entry_keep(calls, &function);
	return 0;
}

SEC("tp/task/task_newtask")
int task_newtask__tp(struct trace_event_raw_task_newtask *ctx)
{
	__u64 id = bpf_get_current_pid_tgid();
	__u64 *start;

	if (!(BPF_CORE_READ(ctx, clone_flags) & CLONE_THREAD) || !wanted_task(id))
		return 0;
	start = entry_find(calls);
	if (!failed_only)
		show(id, BPF_CORE_READ(ctx, pid), start ? *start : 0, 0);
	if (start)
		entry_forget(calls);
	return 0;
}

SEC("uretprobe")
int BPF_KRETPROBE(create_ends, int error)
{
	__u64 *start = entry_find(calls);

	if (!start)
		return 0;
	/* No thread was made. */
	show(bpf_get_current_pid_tgid(), 0, *start, error);
	entry_forget(calls);
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
