// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* Why a file is no longer where it was: it was deleted, or has another name. */
enum slot {
	UNLINK,
	UNLINKAT,
	RMDIR,
	RENAME,
	RENAMEAT,
	RENAMEAT2,
	SLOTS,
};

#include "two-names.h"

enum action {
	DELETE,
	MOVE,
};

struct event {
	CALL_FIELDS;
	enum action action;
	mark_t truncated;
	args_t names[NAMES_ROOM];
};

EVENT_RING(events, event);
SCRATCH(gone_scratch, struct event, SLOTS);

static __always_inline int
trace(const struct syscall_return *ctx, enum slot slot, struct pt_regs *regs, const char *old, const char *new)
{
	__u64 id = bpf_get_current_pid_tgid();
	struct event *event = scratch(gone_scratch, slot);
	__u32 length;

	if (!event || !wanted_result(id, ctx->ret) || (!failed_only && ctx->ret < 0))
		return 0;
	call_fields(event, id, regs, ctx->ret);
	event->action = new ? MOVE : DELETE;
	event->truncated = false;
	length = read_names(event->names, old, new, &event->truncated);
	if (length <= sizeof(event->names))
		event_output(events, event, offsetof(struct event, names) + length);
	return 0;
}

AT_EXIT(unlink)
{
	struct pt_regs *regs = current_user_regs();

	return trace(ctx, UNLINK, regs, (void *)syscall_arg1(regs), NULL);
}

AT_EXIT(unlinkat)
{
	struct pt_regs *regs = current_user_regs();

	return trace(ctx, UNLINKAT, regs, (void *)syscall_arg2(regs), NULL);
}

AT_EXIT(rmdir)
{
	struct pt_regs *regs = current_user_regs();

	return trace(ctx, RMDIR, regs, (void *)syscall_arg1(regs), NULL);
}

AT_EXIT(rename)
{
	struct pt_regs *regs = current_user_regs();

	return trace(ctx, RENAME, regs, (void *)syscall_arg1(regs), (void *)syscall_arg2(regs));
}

AT_EXIT(renameat)
{
	struct pt_regs *regs = current_user_regs();

	return trace(ctx, RENAMEAT, regs, (void *)syscall_arg2(regs), (void *)syscall_arg4(regs));
}

AT_EXIT(renameat2)
{
	struct pt_regs *regs = current_user_regs();

	return trace(ctx, RENAMEAT2, regs, (void *)syscall_arg2(regs), (void *)syscall_arg4(regs));
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
