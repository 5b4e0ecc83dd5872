// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* System calls that wait until something is on the disk. */
enum slot {
	SYNC,
	FSYNC,
	FDATASYNC,
	MSYNC,
	SYNC_FILE_RANGE,
	SYNCFS,
	SLOTS,
};
#define DENTRY_PATH_SLOTS SLOTS

#include "calls.h"
#include "named-path.h"

const volatile ns_t min_time = 0;

struct event {
	CALL_FIELDS;
	maybe_ns_t latency;
	fd_t fd;
	mark_t truncated;
	dentry_path_t path[DENTRY_PATH_BUFFER];	/* empty for calls without a descriptor */
};

EVENT_RING(events, event);
SCRATCH(sync_scratch, struct event, SLOTS);
STARTS;

DENTRY_PATHS_IN(sync_scratch, path)

static __always_inline int trace_sync(const struct syscall_return *ctx, enum slot slot, struct pt_regs *regs, int fd)
{
	__u64 id = bpf_get_current_pid_tgid();
	struct event *event = scratch(sync_scratch, slot);
	__u64 time = call_time();
	__u32 length;

	if (!event || !wanted_result(id, ctx->ret) || time < min_time)
		return 0;
	call_fields(event, id, regs, ctx->ret);
	event->latency = time;
	event->fd = fd;
	length = descriptor_path(event->path, slot, fd, &event->truncated);
	if (length <= sizeof(event->path))
		event_output(events, event, offsetof(struct event, path) + length);
	return 0;
}

#define WITHOUT_FILE(call, slot)					\
	AT_ENTER(call)							\
	AT_EXIT(call)							\
	{								\
		return trace_sync(ctx, slot, current_user_regs(), -1);	\
	}
#define OF_FILE(call, slot)						\
	AT_ENTER(call)							\
	AT_EXIT(call)							\
	{								\
		struct pt_regs *regs = current_user_regs();		\
									\
		return trace_sync(ctx, slot, regs, syscall_arg1(regs));	\
	}

WITHOUT_FILE(sync, SYNC)
WITHOUT_FILE(msync, MSYNC)
OF_FILE(fsync, FSYNC)
OF_FILE(fdatasync, FDATASYNC)
OF_FILE(sync_file_range, SYNC_FILE_RANGE)
OF_FILE(syncfs, SYNCFS)

char LICENSE[] SEC("license") = "Dual BSD/GPL";
