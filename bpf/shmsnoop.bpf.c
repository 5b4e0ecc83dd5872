// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* System calls for System V shared memory. */
#include "calls.h"

struct event {
	CALL_FIELDS;
	__s64 ret;
	__u64 arg1;
	__u64 arg2;
	__u64 arg3;
};

EVENT_RING(events, event);

static __always_inline int trace(const struct syscall_return *ctx)
{
	__u64 id = bpf_get_current_pid_tgid();
	struct pt_regs *regs = current_user_regs();
	struct event *event;

	if (!wanted_result(id, ctx->ret))
		return 0;
	event = event_reserve(events, event);
	if (!event)
		return 0;
	call_fields(event, id, regs, ctx->ret);
	event->ret = ctx->ret;
	event->arg1 = syscall_arg1(regs);
	event->arg2 = syscall_arg2(regs);
	event->arg3 = syscall_arg3(regs);
	event_submit(event);
	return 0;
}

AT_EXIT(shmget)
{
	return trace(ctx);
}

AT_EXIT(shmat)
{
	return trace(ctx);
}

AT_EXIT(shmdt)
{
	return trace(ctx);
}

AT_EXIT(shmctl)
{
	return trace(ctx);
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
