// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* What is written to terminals. */
enum slot {
	WRITE,
	WRITEV,
	SLOTS,
};

#include "calls.h"
#include "file.h"

#define DATA_MAX 8192
#define PIECES 16

/* Numbers of devices that are terminals: consoles and serial lines, and the ends of pairs. */
#define TTY_MAJOR 4
#define SERIAL_MAJOR 204
#define PTS_FIRST 136
#define PTS_LAST 143

const volatile dev_t filter_tty = 0;
const volatile __u32 data_size = 4096;	/* bytes that are kept of what is written at once */

struct event {
	EVENT_HEAD;
	dev_t tty;
	bytes_t size;
	mark_t truncated;
	data_t data[sizeof(__u32) + 2 * DATA_MAX];
};

EVENT_RING(events, event);
SCRATCH(write_scratch, struct event, SLOTS);

struct inode___device {
	dev_t i_rdev;
} __attribute__((preserve_access_index));

struct iovec {
	const void *base;
	__u64 length;
};

#define S_IFCHR 0020000

static __always_inline bool is_terminal(dev_t dev)
{
	__u32 major = dev >> 20;

	if (filter_tty)
		return dev == filter_tty;
	return major == TTY_MAJOR || major == SERIAL_MAJOR || (major >= PTS_FIRST && major <= PTS_LAST);
}

/* The record of a write that succeeded, or NULL. */
static __always_inline struct event *begin(const struct syscall_return *ctx, enum slot slot, int fd)
{
	__u64 id = bpf_get_current_pid_tgid();
	struct inode___device *inode;
	struct event *event;
	struct file *file;

	if (ctx->ret <= 0 || !wanted_task(id))
		return NULL;
	file = current_file(fd);
	if (!file || file_type(file) != S_IFCHR)
		return NULL;
	inode = (void *)BPF_CORE_READ(file, f_inode);
	event = scratch(write_scratch, slot);
	if (!event)
		return NULL;
	event->tty = BPF_CORE_READ(inode, i_rdev);
	if (!is_terminal(event->tty))
		return NULL;
	event_head(event, id);
	event->size = ctx->ret;
	return event;
}

static __always_inline void finish(struct event *event, __u32 length)
{
	event->truncated = length < event->size;
	__builtin_memcpy(event->data, &length, sizeof(length));
	if (length <= DATA_MAX)
		event_output(events, event, offsetof(struct event, data) + sizeof(length) + length);
}

AT_EXIT(write)
{
	struct pt_regs *regs = current_user_regs();
	struct event *event = begin(ctx, WRITE, syscall_arg1(regs));
	__u64 length = ctx->ret;

	if (!event)
		return 0;
	if (length > data_size)
		length = data_size;
	if (length > DATA_MAX)
		length = DATA_MAX;
	if (bpf_probe_read_user(event->data + sizeof(__u32), length, (void *)syscall_arg2(regs)))
		length = 0;
	finish(event, length);
	return 0;
}

AT_EXIT(writev)
{
	struct pt_regs *regs = current_user_regs();
	struct event *event = begin(ctx, WRITEV, syscall_arg1(regs));
	const struct iovec *pieces = (void *)syscall_arg2(regs);
	__u32 count = syscall_arg3(regs), length = 0, room;
	__u64 left = ctx->ret;

	if (!event)
		return 0;
	room = data_size < DATA_MAX ? data_size : DATA_MAX;
	if (left > room)
		left = room;
	for (__u32 i = 0; i < PIECES && i < count && left; i++) {
		struct iovec piece = {};
		__u64 more;

		bpf_probe_read_user(&piece, sizeof(piece), pieces + i);
		more = piece.length < left ? piece.length : left;
		if (length > DATA_MAX || more > DATA_MAX || bpf_probe_read_user(event->data + sizeof(__u32) + length, more, piece.base))
			break;
		length += more;
		left -= more;
	}
	finish(event, length);
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
