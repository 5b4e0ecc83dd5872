// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* System calls by which a process reaches into another one. */
#include "calls.h"
#include "other-task.h"

/* ptrace(2): the same on all architectures. */
enum {
	TRACEME = 0,
	KILL = 8,
	ATTACH = 16,
	DETACH = 17,
	SEIZE = 0x4206,
};

#define NO_REQUEST (-1)

const volatile bool all_requests = false;
const volatile pid_t filter_target = 0;

struct event {
	CALL_FIELDS;
	__s32 op;		/* of ptrace */
	maybe_pid_t tpid;	/* as the caller numbers it */
	mark_t foreign;		/* in a pid namespace of its own */
	maybe_addr_t address;
	maybe_bytes_t bytes;
	fd_t fd;
};

EVENT_RING(events, event);

static __always_inline bool takes_or_leaves(__s32 request)
{
	return request == TRACEME || request == KILL || request == ATTACH || request == DETACH || request == SEIZE;
}

static __always_inline struct event *
begin(const struct syscall_return *ctx, struct pt_regs *regs, pid_t target)
{
	struct task_struct___other *task = (void *)bpf_get_current_task();
	__u64 id = bpf_get_current_pid_tgid();
	struct event *event;

	if (!wanted_result(id, ctx->ret) || (filter_target && target != filter_target))
		return NULL;
	event = event_reserve(events, event);
	if (!event)
		return NULL;
	call_fields(event, id, regs, ctx->ret);
	event->op = NO_REQUEST;
	event->tpid = target;
	event->foreign = BPF_CORE_READ(task, thread_pid, level) > 0;
	event->fd = -1;
	return event;
}

AT_EXIT(ptrace)
{
	struct pt_regs *regs = current_user_regs();
	__s32 request = syscall_arg1(regs);
	struct event *event;

	if (!all_requests && !takes_or_leaves(request))
		return 0;
	event = begin(ctx, regs, request == TRACEME ? 0 : (pid_t)syscall_arg2(regs));
	if (!event)
		return 0;
	event->op = request;
	if (!takes_or_leaves(request))
		event->address = syscall_arg3(regs);
	event_submit(event);
	return 0;
}

static __always_inline int copied(const struct syscall_return *ctx)
{
	struct pt_regs *regs = current_user_regs();
	struct event *event = begin(ctx, regs, syscall_arg1(regs));

	if (!event)
		return 0;
	event->bytes = ctx->ret > 0 ? ctx->ret : 0;
	/* The first piece of the other process's memory. */
	bpf_probe_read_user(&event->address, sizeof(event->address), (void *)syscall_arg4(regs));
	event_submit(event);
	return 0;
}

AT_EXIT(process_vm_readv)
{
	return copied(ctx);
}

AT_EXIT(process_vm_writev)
{
	return copied(ctx);
}

AT_EXIT(pidfd_getfd)
{
	struct event *event = begin(ctx, current_user_regs(), 0);

	if (!event)
		return 0;
	event->fd = ctx->ret >= 0 ? ctx->ret : -1;
	event_submit(event);
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
