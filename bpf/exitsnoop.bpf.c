// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Processes that end. A process ends when the last of its threads does, which
 * need not be the first one; the row describes the process all the same: the
 * name, the age and the number of its first thread, and the status that its
 * parent will see.
 */
#include "core.h"
#include "compat.h"
#include "events.h"
#include "filter.h"

#define SIGNAL_GROUP_EXIT 4

const volatile bool per_thread = false;		/* a row for each thread, of the thread itself */
const volatile bool failed_only = false;	/* not the status 0 */

struct event {
	boot_ns_t time;
	pid_t pid;
	thread_t tid;		/* the same as pid without per_thread */
	pid_t ppid;
	uid_t uid;
	comm_t comm[16];
	ns_t age;
	__u8 exit_code;		/* 0 if a signal was the end */
	bool core_dumped;
	signal_t signal;
	cgroup_id_t cgroup;
};

EVENT_RING(events, event);

/* Processes whose end was reported by a thread that was not the only one left. */
struct process {
	__u64 start;
	__u32 pid;
	__u32 unused;
};

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 4096);
	__type(key, struct process);
	__type(value, __u8);
} ended SEC(".maps");

/*
 * Whether the process ends with this thread, true once for each process. Where
 * the kernel does not say so, signal->live tells: it was counted down on the
 * way here. Threads that exit at the same time may all find it at 0; the first
 * of them leaves a mark for the others.
 */
static __always_inline bool
last_thread(struct trace_event_raw_sched_process_exit *ctx, struct task_struct *task)
{
	struct signal_struct *signal;
	struct process process = {};
	__u8 value = 0;

	if (exit_tells_group_dead())
		return ctx->group_dead;

	signal = BPF_CORE_READ(task, signal);
	if (BPF_CORE_READ(signal, live.counter) != 0)
		return false;
	process.start = BPF_CORE_READ(task, group_leader, start_boottime);
	process.pid = BPF_CORE_READ(task, tgid);
	/* The only thread left needs no mark: nobody comes after it. */
	if (BPF_CORE_READ(signal, nr_threads) == 1)
		return !bpf_map_lookup_elem(&ended, &process);
	return update_error(&ended, &process, &value, BPF_NOEXIST) != -EEXIST;
}

/* What wait(2) will say. */
static __always_inline int wait_status(struct task_struct *task, struct task_struct *subject)
{
	struct signal_struct *signal = BPF_CORE_READ(task, signal);

	if (!per_thread && BPF_CORE_READ(signal, flags) & SIGNAL_GROUP_EXIT)
		return BPF_CORE_READ(signal, group_exit_code);
	return BPF_CORE_READ(subject, exit_code);
}

SEC("tp/sched/sched_process_exit")
int process_exit__tp(struct trace_event_raw_sched_process_exit *ctx)
{
	struct task_struct *task = (void *)bpf_get_current_task();
	__u64 id = bpf_get_current_pid_tgid();
	struct task_struct *subject;
	struct event *event;
	char comm[16];
	int status;

	if (!per_thread) {
		if (!last_thread(ctx, task))
			return 0;
		id = id >> 32 << 32 | id >> 32;
	}
	if (!wanted_ids(id) || !wanted_uid() || !wanted_container())
		return 0;
	subject = per_thread ? task : BPF_CORE_READ(task, group_leader);
	BPF_CORE_READ_INTO(&comm, subject, comm);
	if (!wanted_comm(comm))
		return 0;
	status = wait_status(task, subject);
	if (failed_only && !status)
		return 0;

	event = event_reserve(events, event);
	if (!event)
		return 0;
	event->time = bpf_ktime_get_boot_ns();
	event->pid = id >> 32;
	event->tid = id;
	event->ppid = BPF_CORE_READ(task, real_parent, tgid);
	event->uid = bpf_get_current_uid_gid();
	__builtin_memcpy(event->comm, comm, sizeof(comm));
	event->age = event->time - BPF_CORE_READ(subject, start_boottime);
	event->exit_code = status >> 8;
	event->signal = status & 0x7f;
	event->core_dumped = status & 0x80;
	event->cgroup = bpf_get_current_cgroup_id();
	event_submit(event);
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
