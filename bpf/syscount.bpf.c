// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* How often system calls are made, and how long they take. */
#include "compat.h"
#include "events.h"
#include "filter.h"
#include "syscall.h"
#include "table.h"
#include <bpf/bpf_tracing.h>

const volatile bool by_process = false;
const volatile bool measure = false;
const volatile bool failed_only = false;
const volatile errno_t filter_error = 0;
const volatile pid_t filter_ppid = 0;
/* A name is two numbers at most: one of 64-bit programs, one of 32-bit ones. */
const volatile bool filter_calls = false;
const volatile __u32 filter_call[2] = { NO_SYSCALL, NO_SYSCALL };

struct key {
	maybe_pid_t pid;
	syscall_t syscall;
};

struct value {
	maybe_comm_t comm[16];
	count_t count;
	ns_t total;
};

TABLE_IN(counts, BPF_MAP_TYPE_PERCPU_HASH, struct key, struct value, 16384);

/* When the call began that a thread is in, or 0. Entries stay as long as their threads. */
COUNTED_MAP(starts, BPF_MAP_TYPE_HASH, thread_t, __u64, 131072);

static __always_inline bool wanted_call(__u64 id, __u32 call)
{
	if (filter_calls && call != filter_call[0] && call != filter_call[1])
		return false;
	if (filter_ppid) {
		struct task_struct *task = (void *)bpf_get_current_task();

		if (BPF_CORE_READ(task, real_parent, tgid) != filter_ppid)
			return false;
	}
	return wanted_task(id);
}

static __always_inline void add(__u64 id, __u32 call)
{
	struct key key = { .pid = by_process ? id >> 32 : 0, .syscall = by_process ? NO_SYSCALL : call };
	thread_t tid = id;
	struct value *value;
	__u64 time = 0;

	if (measure) {
		__u64 *start = bpf_map_lookup_elem(&starts, &tid);

		/* It was under way when the tracing began. */
		if (!start || !*start)
			return;
		time = bpf_ktime_get_ns() - *start;
		*start = 0;
	}
	value = table_row(counts, &key);
	if (!value)
		return;
	if (by_process)
		bpf_get_current_comm(value->comm, sizeof(value->comm));
	__sync_fetch_and_add(&value->count, 1);
	if (time)
		__sync_fetch_and_add(&value->total, time);
}

SEC("tp_btf/sys_enter")
int BPF_PROG(sys_enter__tp_btf, struct pt_regs *regs, long number)
{
	__u64 id = bpf_get_current_pid_tgid();
	thread_t tid = id;
	__u64 *start, now;

	if (!wanted_call(id, current_syscall(regs)))
		return 0;
	now = bpf_ktime_get_ns();
	start = bpf_map_lookup_elem(&starts, &tid);
	if (start)
		*start = now;
	else if (bpf_map_update_elem(&starts, &tid, &now, BPF_ANY))
		COUNT_DROPPED(starts);
	return 0;
}

SEC("tp_btf/sys_exit")
int BPF_PROG(sys_exit__tp_btf, struct pt_regs *regs, long ret)
{
	__u64 id = bpf_get_current_pid_tgid();
	__u32 call;

	/* Failures are the last 4095 numbers. */
	if (failed_only && (unsigned long)ret < -4095UL)
		return 0;
	if (filter_error && ret != -filter_error)
		return 0;
	call = current_syscall(regs);
	/* Negative after a tracer has prevented it. A new task leaves the call that made it, which was its parent's. */
	if ((call & ~SYSCALL_COMPAT) == (NO_SYSCALL & ~SYSCALL_COMPAT) || (!ret && makes_task(call)))
		return 0;
	if (wanted_call(id, call))
		add(id, call);
	return 0;
}

/* Whoever makes one of the calls that do not return ends in it; others end elsewhere. */
SEC("tp_btf/sched_process_exit")
int BPF_PROG(sched_process_exit__tp_btf, struct task_struct *task)
{
	__u64 id = bpf_get_current_pid_tgid();
	__u32 call = current_syscall(current_user_regs());
	thread_t tid = id;

	if (!failed_only && !filter_error && ends_task(call) && wanted_call(id, call))
		add(id, call);
	if (measure)
		bpf_map_delete_elem(&starts, &tid);
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
