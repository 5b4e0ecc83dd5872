// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* How often methods and system calls are called, and how long they take. */
#include "methods.h"
#include "syscall.h"
#include "table.h"

const volatile bool measure = false;

struct call {
	pid_t pid;
	syscall_t syscall;
	METHOD_FIELDS;
};

struct count {
	count_t calls;
	ns_t total;		/* of those that were seen from their beginning */
};

struct under_way {
	__u64 start;
	__u64 depth;
};

TABLE(calls, struct call, struct count, 65536);
/* By thread instead of process. A method that calls itself goes on until the outermost call ends. */
TABLE(running, struct call, struct under_way, 65536);

static __always_inline void begins(__u64 id, struct call *call)
{
	struct under_way *under_way;

	call->pid = id;
	under_way = table_row(running, call);
	if (under_way && !under_way->depth++)
		under_way->start = bpf_ktime_get_ns();
}

static __always_inline void ends(__u64 id, struct call *call)
{
	struct under_way *under_way;
	struct count *count;
	__u64 time = 0;

	call->pid = id;
	under_way = measure ? bpf_map_lookup_elem(&running, call) : NULL;
	if (under_way && !--under_way->depth) {
		time = bpf_ktime_get_ns() - under_way->start;
		bpf_map_delete_elem(&running, call);
	}
	call->pid = id >> 32;
	count = table_row(calls, call);
	if (!count)
		return;
	__sync_fetch_and_add(&count->calls, 1);
	__sync_fetch_and_add(&count->total, time);
}

static __always_inline void enters(__u64 id, const struct method *method)
{
	struct call call = { .syscall = NO_SYSCALL };

	copy_method(&call, method);
	begins(id, &call);
}

static __always_inline void leaves(__u64 id, const struct method *method)
{
	struct call call = { .syscall = NO_SYSCALL };

	copy_method(&call, method);
	ends(id, &call);
}

METHODS(enters, leaves)

SEC("tp_btf/sys_enter")
int BPF_PROG(sys_enter__tp_btf, struct pt_regs *regs, long number)
{
	struct call call = { .syscall = current_syscall(regs) };
	__u64 id = bpf_get_current_pid_tgid();

	if (wanted_task(id))
		begins(id, &call);
	return 0;
}

SEC("tp_btf/sys_exit")
int BPF_PROG(sys_exit__tp_btf, struct pt_regs *regs, long ret)
{
	struct call call = { .syscall = current_syscall(regs) };
	__u64 id = bpf_get_current_pid_tgid();

	/* Prevented by a tracer, or the return of a new task from the call that made it. */
	if ((call.syscall & ~SYSCALL_COMPAT) == (NO_SYSCALL & ~SYSCALL_COMPAT) || (!ret && makes_task(call.syscall)))
		return 0;
	if (wanted_task(id))
		ends(id, &call);
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
