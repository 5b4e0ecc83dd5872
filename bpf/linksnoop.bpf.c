// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* Hard and symbolic links that are made. */
enum slot {
	LINK,
	LINKAT,
	SYMLINK,
	SYMLINKAT,
	SLOTS,
};

#include "two-names.h"

enum type {
	HARDLINK,
	SYMBOLIC,
};

struct event {
	CALL_FIELDS;
	enum type link;
	mark_t truncated;
	args_t names[NAMES_ROOM];
};

EVENT_RING(events, event);
SCRATCH(link_scratch, struct event, SLOTS);

static __always_inline int
trace(const struct syscall_return *ctx, enum slot slot, struct pt_regs *regs, const char *target, const char *name)
{
	__u64 id = bpf_get_current_pid_tgid();
	struct event *event = scratch(link_scratch, slot);
	__u32 length;

	if (!event || !wanted_result(id, ctx->ret))
		return 0;
	call_fields(event, id, regs, ctx->ret);
	event->link = slot >= SYMLINK ? SYMBOLIC : HARDLINK;
	event->truncated = false;
	length = read_names(event->names, target, name, &event->truncated);
	if (length <= sizeof(event->names))
		event_output(events, event, offsetof(struct event, names) + length);
	return 0;
}

AT_EXIT(link)
{
	struct pt_regs *regs = current_user_regs();

	return trace(ctx, LINK, regs, (void *)syscall_arg1(regs), (void *)syscall_arg2(regs));
}

AT_EXIT(linkat)
{
	struct pt_regs *regs = current_user_regs();

	return trace(ctx, LINKAT, regs, (void *)syscall_arg2(regs), (void *)syscall_arg4(regs));
}

AT_EXIT(symlink)
{
	struct pt_regs *regs = current_user_regs();

	return trace(ctx, SYMLINK, regs, (void *)syscall_arg1(regs), (void *)syscall_arg2(regs));
}

AT_EXIT(symlinkat)
{
	struct pt_regs *regs = current_user_regs();

	return trace(ctx, SYMLINKAT, regs, (void *)syscall_arg1(regs), (void *)syscall_arg3(regs));
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
