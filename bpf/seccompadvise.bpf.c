// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* Which system calls processes make, and those that they make. */
#include "compat.h"
#include "events.h"
#include "filter.h"
#include "syscall.h"
#include "table.h"
#include <bpf/bpf_tracing.h>

const volatile __u32 filter_mntns = 0;

struct key {
	namespace_t mntns;
	syscall_t syscall;
};

struct value {
	comm_t comm[16];	/* who made it last */
	count_t count;
};

TABLE_IN(calls, BPF_MAP_TYPE_PERCPU_HASH, struct key, struct value, 16384);

/* Processes that come from the one that was asked for: they inherit its profile. */
COUNTED_MAP(descendants, BPF_MAP_TYPE_HASH, pid_t, bool, 32768);

static __always_inline bool wanted_process(__u64 id)
{
	pid_t pid = id >> 32;

	return pid == filter_pid || bpf_map_lookup_elem(&descendants, &pid);
}

static __always_inline bool wanted(__u64 id)
{
	if (!filter_pid)
		return wanted_task(id);
	return wanted_process(id) && wanted_task((__u64)filter_pid << 32 | (__u32)id);
}

SEC("tp_btf/sched_process_fork")
int BPF_PROG(sched_process_fork__tp_btf, struct task_struct *parent, struct task_struct *child)
{
	pid_t pid = child->tgid;
	bool one = true;

	/* Not a thread. */
	if (filter_pid && pid == child->pid && wanted_process(bpf_get_current_pid_tgid()) &&
	    bpf_map_update_elem(&descendants, &pid, &one, BPF_ANY))
		COUNT_DROPPED(descendants);
	return 0;
}

SEC("tp_btf/sched_process_exit")
int BPF_PROG(sched_process_exit__tp_btf, struct task_struct *task)
{
	pid_t pid = task->tgid;

	if (!task->signal->live.counter)
		bpf_map_delete_elem(&descendants, &pid);
	return 0;
}

SEC("tp_btf/sys_enter")
int BPF_PROG(sys_enter__tp_btf, struct pt_regs *regs, long number)
{
	struct task_struct *task = (void *)bpf_get_current_task();
	struct key key = { .syscall = current_syscall(regs) };
	struct value *value;

	/* Negative after a tracer has prevented it. */
	if ((key.syscall & ~SYSCALL_COMPAT) == (NO_SYSCALL & ~SYSCALL_COMPAT) || !wanted(bpf_get_current_pid_tgid()))
		return 0;
	key.mntns = BPF_CORE_READ(task, nsproxy, mnt_ns, ns.inum);
	if (filter_mntns && key.mntns != filter_mntns)
		return 0;
	value = table_row(calls, &key);
	if (!value)
		return 0;
	bpf_get_current_comm(value->comm, sizeof(value->comm));
	__sync_fetch_and_add(&value->count, 1);
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
