// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* System calls that sleep, and how long they really do. */
#include "calls.h"

#define TIMER_ABSTIME 1

struct event {
	CALL_FIELDS;
	pid_t ppid;
	comm_t pcomm[16];
	ns_t requested;
	mark_t until;		/* requested is a time of the clock */
	maybe_ns_t slept;
};

EVENT_RING(events, event);
STARTS;

struct timespec {
	__s64 seconds;
	__s64 nanoseconds;
};


static __always_inline int
trace(const struct syscall_return *ctx, struct pt_regs *regs, const void *request, bool until)
{
	__u64 id = bpf_get_current_pid_tgid();
	struct task_struct *task = (void *)bpf_get_current_task();
	__u64 slept = call_time();
	struct timespec time = {};
	struct event *event;

	if (!wanted_result(id, ctx->ret))
		return 0;
	event = event_reserve(events, event);
	if (!event)
		return 0;
	call_fields(event, id, regs, ctx->ret);
	event->ppid = BPF_CORE_READ(task, real_parent, tgid);
	BPF_CORE_READ_STR_INTO(&event->pcomm, task, real_parent, group_leader, comm);
	bpf_probe_read_user(&time, sizeof(time), request);
	event->requested = time.seconds * 1000000000 + time.nanoseconds;
	event->until = until;
	event->slept = slept;
	event_submit(event);
	return 0;
}

AT_ENTER(nanosleep)
AT_EXIT(nanosleep)
{
	struct pt_regs *regs = current_user_regs();

	return trace(ctx, regs, (void *)syscall_arg1(regs), false);
}

AT_ENTER(clock_nanosleep)
AT_EXIT(clock_nanosleep)
{
	struct pt_regs *regs = current_user_regs();

	return trace(ctx, regs, (void *)syscall_arg3(regs), syscall_arg2(regs) & TIMER_ABSTIME);
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
