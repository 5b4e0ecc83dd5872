// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* System calls that ask about files and file systems. */
enum slot {
	NEWSTAT,
	NEWLSTAT,
	NEWFSTAT,
	NEWFSTATAT,
	STATX,
	STATFS,
	FSTATFS,
	SLOTS,
};
#define DENTRY_PATH_SLOTS SLOTS

#include "calls.h"
#include "named-path.h"

const volatile bool full_path = false;

struct event {
	CALL_FIELDS;
	fd_t fd;		/* that was asked about, instead of a path */
	mark_t truncated;
	dentry_path_t path[DENTRY_PATH_BUFFER];
};

EVENT_RING(events, event);
SCRATCH(stat_scratch, struct event, SLOTS);
DENTRY_PATHS_IN(stat_scratch, path)

static __always_inline int trace_stat(const struct syscall_return *ctx, enum slot slot, int fd, const char *name)
{
	__u64 id = bpf_get_current_pid_tgid();
	struct event *event = scratch(stat_scratch, slot);
	__u32 length;

	if (!event || !wanted_result(id, ctx->ret))
		return 0;
	call_fields(event, id, current_user_regs(), ctx->ret);
	length = named_path(event->path, slot, fd, name, full_path, &event->truncated);
	/* Calls that have both take the descriptor for the directory, unless the name is empty. */
	event->fd = -1;
	if (fd >= 0) {
		char first = '\0';

		if (name)
			bpf_probe_read_user(&first, 1, name);
		if (!first)
			event->fd = fd;
	}
	if (length <= sizeof(event->path))
		event_output(events, event, offsetof(struct event, path) + length);
	return 0;
}

#define BY_NAME(call, slot)						\
	AT_EXIT(call)							\
	{								\
		struct pt_regs *regs = current_user_regs();		\
									\
		return trace_stat(ctx, slot, AT_FDCWD, (void *)syscall_arg1(regs));	\
	}
#define BY_DESCRIPTOR(call, slot)					\
	AT_EXIT(call)							\
	{								\
		struct pt_regs *regs = current_user_regs();		\
									\
		return trace_stat(ctx, slot, syscall_arg1(regs), NULL);	\
	}
#define BY_BOTH(call, slot)						\
	AT_EXIT(call)							\
	{								\
		struct pt_regs *regs = current_user_regs();		\
									\
		return trace_stat(ctx, slot, syscall_arg1(regs), (void *)syscall_arg2(regs));	\
	}

BY_NAME(newstat, NEWSTAT)
BY_NAME(newlstat, NEWLSTAT)
BY_NAME(statfs, STATFS)
BY_DESCRIPTOR(newfstat, NEWFSTAT)
BY_DESCRIPTOR(fstatfs, FSTATFS)
BY_BOTH(newfstatat, NEWFSTATAT)
BY_BOTH(statx, STATX)

char LICENSE[] SEC("license") = "Dual BSD/GPL";
