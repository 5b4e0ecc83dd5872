// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* System calls that change what is mounted. */
enum slot {
	MOUNT,
	UMOUNT,
	FSOPEN,
	FSCONFIG,
	FSMOUNT,
	MOVE_MOUNT,
	OPEN_TREE,
	FSPICK,
	MOUNT_SETATTR,
	PIVOT_ROOT,
	SLOTS,
};

#include "calls.h"
#include "text.h"

#define ROOM 4096
#define NAMES 4

/* fsconfig(2) with a value that is a string. */
#define FSCONFIG_SET_STRING 1
#define FSCONFIG_SET_PATH 3
#define FSCONFIG_SET_PATH_EMPTY 4

struct event {
	CALL_FIELDS;
	pid_t ppid;
	comm_t pcomm[16];
	namespace_t mnt_ns;
	maybe_ns_t latency;
	__s64 ret;
	__u32 flags;
	__u32 cmd;		/* of fsconfig(2); the attributes of fsmount(2) */
	fd_t fd;		/* that the call was given */
	mark_t truncated;
	args_t names[(NAMES + 1) * ROOM];
};

EVENT_RING(events, event);
SCRATCH(mount_scratch, struct event, SLOTS);
STARTS;

struct given {
	enum slot slot;
	__u32 flags;
	__u32 cmd;
	int fd;
	const char *names[NAMES];
	__u32 count;
};

static __always_inline int trace(const struct syscall_return *ctx, struct pt_regs *regs, const struct given *given)
{
	__u64 id = bpf_get_current_pid_tgid();
	struct task_struct *task = (void *)bpf_get_current_task();
	struct event *event = scratch(mount_scratch, given->slot);
	__u64 time = call_time();
	__u32 length = 0;

	if (!event || !wanted_result(id, ctx->ret))
		return 0;
	call_fields(event, id, regs, ctx->ret);
	event->ppid = BPF_CORE_READ(task, real_parent, tgid);
	BPF_CORE_READ_STR_INTO(&event->pcomm, task, real_parent, group_leader, comm);
	event->mnt_ns = BPF_CORE_READ(task, nsproxy, mnt_ns, ns.inum);
	event->latency = time;
	event->ret = ctx->ret;
	event->flags = given->flags;
	event->cmd = given->cmd;
	event->fd = given->fd;
	event->truncated = false;
#pragma unroll
	for (__u32 i = 0; i < NAMES; i++) {
		__u32 more;

		if (i >= given->count || length > NAMES * ROOM)
			break;
		more = given->names[i] ? read_user_text(event->names + length, ROOM, given->names[i], &event->truncated) : 0;
		if (!more) {
			event->names[length] = '\0';
			more = 1;
		}
		length += more;
	}
	if (length <= sizeof(event->names))
		event_output(events, event, offsetof(struct event, names) + length);
	return 0;
}

#define CALL(name)							\
	AT_ENTER(name)							\
	AT_EXIT(name)							\
	{								\
		struct pt_regs *regs = current_user_regs();		\
									\
		return trace(ctx, regs, &(struct given)GIVEN_##name);	\
	}

#define NAME1 (void *)syscall_arg1(regs)
#define NAME2 (void *)syscall_arg2(regs)
#define NAME3 (void *)syscall_arg3(regs)
#define NAME4 (void *)syscall_arg4(regs)
#define NAME5 (void *)syscall_arg5(regs)
#define NUMBER1 syscall_arg1(regs)
#define NUMBER2 syscall_arg2(regs)
#define NUMBER3 syscall_arg3(regs)
#define NUMBER4 syscall_arg4(regs)
#define NUMBER5 syscall_arg5(regs)

#define GIVEN_mount { .slot = MOUNT, .fd = -1, .flags = NUMBER4, .count = 4, .names = { NAME1, NAME2, NAME3, NAME5 } }
#define GIVEN_umount { .slot = UMOUNT, .fd = -1, .flags = NUMBER2, .count = 1, .names = { NAME1 } }
#define GIVEN_fsopen { .slot = FSOPEN, .fd = -1, .flags = NUMBER2, .count = 1, .names = { NAME1 } }
#define GIVEN_fsmount { .slot = FSMOUNT, .fd = NUMBER1, .flags = NUMBER2, .cmd = NUMBER3 }
#define GIVEN_move_mount { .slot = MOVE_MOUNT, .fd = NUMBER1, .flags = NUMBER5, .count = 2, .names = { NAME2, NAME4 } }
#define GIVEN_open_tree { .slot = OPEN_TREE, .fd = NUMBER1, .flags = NUMBER3, .count = 1, .names = { NAME2 } }
#define GIVEN_fspick { .slot = FSPICK, .fd = NUMBER1, .flags = NUMBER3, .count = 1, .names = { NAME2 } }
#define GIVEN_mount_setattr { .slot = MOUNT_SETATTR, .fd = NUMBER1, .flags = NUMBER3, .count = 1, .names = { NAME2 } }
#define GIVEN_pivot_root { .slot = PIVOT_ROOT, .fd = -1, .count = 2, .names = { NAME1, NAME2 } }

CALL(mount)
CALL(umount)
CALL(fsopen)
CALL(fsmount)
CALL(move_mount)
CALL(open_tree)
CALL(fspick)
CALL(mount_setattr)
CALL(pivot_root)

AT_ENTER(fsconfig)
AT_EXIT(fsconfig)
{
	struct pt_regs *regs = current_user_regs();
	__u32 command = NUMBER2;
	bool text = command == FSCONFIG_SET_STRING || command == FSCONFIG_SET_PATH || command == FSCONFIG_SET_PATH_EMPTY;

	return trace(ctx, regs, &(struct given){
		.slot = FSCONFIG,
		.fd = NUMBER1,
		.cmd = command,
		.count = text ? 2 : 1,
		.names = { NAME3, NAME4 },
	});
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
