/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* A record for each operation on a file that took long. file-op.h, or what includes it, comes first. */
#ifndef KSCOPE_SLOW_FILE_OP_H
#define KSCOPE_SLOW_FILE_OP_H

#define DENTRY_PATH_SLOTS FILE_OP_SLOTS

#include "events.h"
#include "path.h"

const volatile ns_t min_latency = 10000000;

struct event {
	EVENT_HEAD;
	enum file_op operation;
	bytes_t bytes;		/* moved, or that an fsync is limited to */
	bytes_t offset;
	errno_t error;
	ns_t latency;
	mark_t truncated;	/* not the whole path */
	cgroup_id_t cgroup;
	dentry_path_t path[DENTRY_PATH_BUFFER];
};

EVENT_RING(events, event);
SCRATCH(event_scratch, struct event, FILE_OP_SLOTS);
DENTRY_PATHS_IN(event_scratch, path)

static __always_inline int slow_file_op(enum file_op_slot slot, enum file_op op, const struct file_op_start *start,
					ns_t latency, long result)
{
	struct event *event = scratch(event_scratch, slot);
	__u64 id = bpf_get_current_pid_tgid();
	enum dentry_path_end end;
	__u32 length;

	if (!event || latency < min_latency)
		return 0;
	event_head(event, id);
	event->operation = op;
	event->bytes = op == fsync ? start->bytes : result > 0 ? result : 0;
	event->offset = file_op_offset(start, result);
	event->error = result < 0 ? -result : 0;
	event->latency = latency;
	event->cgroup = bpf_get_current_cgroup_id();
	length = file_path(event->path, slot, start->file, &end);
	event->truncated = end == DENTRY_PATH_CUT;
	if (length <= sizeof(event->path))
		event_output(events, event, offsetof(struct event, path) + length);
	return 0;
}

#endif
