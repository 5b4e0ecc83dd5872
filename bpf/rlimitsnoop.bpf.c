// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* System calls that set resource limits. */
#include "calls.h"

/* RLIMIT_CPU and so on: the same numbers on x86 and arm64. */
enum resource {
	CPU, FSIZE, DATA, STACK, CORE, RSS, NPROC, NOFILE, MEMLOCK, AS, LOCKS, SIGPENDING, MSGQUEUE, NICE, RTPRIO, RTTIME,
};

struct event {
	CALL_FIELDS;
	maybe_pid_t tpid;	/* as the caller numbers it; 0: itself */
	enum resource resource;
	mark_t unread;		/* the limits could not be */
	__u64 soft;
	__u64 hard;
};

EVENT_RING(events, event);

static __always_inline int
trace(const struct syscall_return *ctx, struct pt_regs *regs, pid_t target, __u32 resource, const __u64 *limits)
{
	__u64 id = bpf_get_current_pid_tgid();
	struct event *event;

	if (!wanted_result(id, ctx->ret))
		return 0;
	event = event_reserve(events, event);
	if (!event)
		return 0;
	call_fields(event, id, regs, ctx->ret);
	event->tpid = target;
	event->resource = resource;
	event->unread = bpf_probe_read_user(&event->soft, sizeof(event->soft), limits) ||
			bpf_probe_read_user(&event->hard, sizeof(event->hard), limits + 1);
	event_submit(event);
	return 0;
}

AT_EXIT(setrlimit)
{
	struct pt_regs *regs = current_user_regs();

	return trace(ctx, regs, 0, syscall_arg1(regs), (void *)syscall_arg2(regs));
}

AT_EXIT(prlimit64)
{
	struct pt_regs *regs = current_user_regs();
	void *limits = (void *)syscall_arg3(regs);

	/* Otherwise it only asks what the limits are. */
	return limits ? trace(ctx, regs, syscall_arg1(regs), syscall_arg2(regs), limits) : 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
