// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* File descriptors that processes pass to each other over UNIX sockets. */
enum slot {
	SENDMSG,
	SENDMMSG,
	RECVMSG,
	RECVMMSG,
	SLOTS,
};
#define DENTRY_PATH_SLOTS SLOTS

#include "calls.h"
#include "named-path.h"

#define SOL_SOCKET 1
#define SCM_RIGHTS 1

/* The kernel passes 253 descriptors with a message; each and what describes them is a step. */
#define STEPS 300
#define MESSAGES 16

const volatile bool only_sent = false;

enum action {
	SEND,
	RECV,
};

struct event {
	CALL_FIELDS;
	enum action action;
	fd_t sock;
	__u64 socket;		/* its inode */
	fd_t fd;		/* that is passed: the number in this process */
	mark_t truncated;
	dentry_path_t path[DENTRY_PATH_BUFFER];
};

EVENT_RING(events, event);

/* As programs of 64 bits have them. */
struct message {
	__u64 name;
	__u64 name_length;
	__u64 pieces;
	__u64 piece_count;
	__u64 control;
	__u64 control_length;
	__u64 flags;
};

struct messages {
	struct message message;
	__u64 length;
};

struct control {
	__u64 length;
	__s32 level;
	__s32 type;
};

/* What of a message's control data was not looked at yet. */
struct passing {
	struct event event;
	__u64 control;
	__u64 left;
	__u64 fds;
	__u64 fds_left;
};

SCRATCH(passing_scratch, struct passing, SLOTS);
DENTRY_PATHS_IN(passing_scratch, event.path)

/* The next descriptor, or the next piece of control data. Returns false at the end. */
__noinline int passing_step(__u32 slot)
{
	struct passing *passing = scratch(passing_scratch, slot);
	struct control control = {};
	__u64 length;

	if (!passing)
		return false;
	if (passing->fds_left) {
		struct event *event = &passing->event;

		event->fd = -1;
		bpf_probe_read_user(&event->fd, sizeof(event->fd), (void *)passing->fds);
		passing->fds += sizeof(event->fd);
		passing->fds_left--;
		length = descriptor_path(event->path, slot, event->fd, &event->truncated);
		if (length <= sizeof(event->path))
			event_output(events, event, offsetof(struct event, path) + length);
		return true;
	}
	if (passing->left < sizeof(control))
		return false;
	if (bpf_probe_read_user(&control, sizeof(control), (void *)passing->control))
		return false;
	if (control.length < sizeof(control) || control.length > passing->left)
		return false;
	if (control.level == SOL_SOCKET && control.type == SCM_RIGHTS) {
		passing->fds = passing->control + sizeof(control);
		passing->fds_left = (control.length - sizeof(control)) / sizeof(int);
	}
	length = (control.length + 7) & ~7ULL;
	passing->control += length;
	passing->left -= length < passing->left ? length : passing->left;
	return true;
}

static __always_inline void passed(__u32 slot, struct passing *passing, const struct message *message)
{
	passing->control = message->control;
	passing->left = message->control_length;
	passing->fds_left = 0;
	for (int i = 0; i < STEPS; i++)
		if (!passing_step(slot))
			break;
}

static __always_inline struct passing *begin(long ret, enum slot slot, enum action action)
{
	__u64 id = bpf_get_current_pid_tgid();
	struct pt_regs *regs = current_user_regs();
	struct passing *passing;
	struct event *event;
	struct file *file;

	if (ret < 0 || !wanted_task(id) || current_syscall(regs) & SYSCALL_COMPAT)
		return NULL;
	passing = scratch(passing_scratch, slot);
	if (!passing)
		return NULL;
	event = &passing->event;
	file = current_file(syscall_arg1(regs));
	if (!file)
		return NULL;
	call_fields(event, id, regs, ret);
	event->action = action;
	event->sock = syscall_arg1(regs);
	event->socket = BPF_CORE_READ(file, f_inode, i_ino);
	return passing;
}

static __always_inline int one(long ret, enum slot slot, enum action action)
{
	struct passing *passing = begin(ret, slot, action);
	struct pt_regs *regs = current_user_regs();
	struct message message = {};

	if (!passing || bpf_probe_read_user(&message, sizeof(message), (void *)syscall_arg2(regs)))
		return 0;
	passed(slot, passing, &message);
	return 0;
}

static __always_inline int many(long ret, enum slot slot, enum action action)
{
	struct passing *passing = begin(ret, slot, action);
	struct pt_regs *regs = current_user_regs();
	const struct messages *list = (void *)syscall_arg2(regs);

	if (!passing)
		return 0;
	for (int i = 0; i < MESSAGES && i < ret; i++) {
		struct message message = {};

		if (bpf_probe_read_user(&message, sizeof(message), &list[i].message))
			break;
		passed(slot, passing, &message);
	}
	return 0;
}

AT_EXIT(sendmsg)
{
	return one(ctx->ret, SENDMSG, SEND);
}

AT_EXIT(sendmmsg)
{
	return many(ctx->ret, SENDMMSG, SEND);
}

AT_EXIT(recvmsg)
{
	return only_sent ? 0 : one(ctx->ret, RECVMSG, RECV);
}

AT_EXIT(recvmmsg)
{
	return only_sent ? 0 : many(ctx->ret, RECVMMSG, RECV);
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
