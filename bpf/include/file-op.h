/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Operations on files, with the time that each took: from the entry of a
 * function of the kernel, or of a system call, to its return.
 *
 * Whoever includes this file says which files are wanted and what is done with
 * an operation that is over, and ends with the programs that it needs.
 */
#ifndef KSCOPE_FILE_OP_H
#define KSCOPE_FILE_OP_H

#include "core.h"
#include "events.h"
#include "file-calls.h"
#include "file.h"
#include "filter.h"
#include "syscall-exit.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>

/* The names are what user space prints. */
enum file_op {
	read,
	write,
	open,
	fsync,
	getattr,
};

#define FILE_OP_BITS 3

/* One for each program that is attached at the same time as others and ends an operation. */
enum file_op_slot {
#define FILE_OP_SLOT(name, ...) FILE_OP_##name,
	FILE_IO_SYSCALLS(FILE_OP_SLOT)
	FILE_OP_open,
	FILE_OP_creat,
	FILE_OP_openat,
	FILE_OP_openat2,
	FILE_OP_fsync,
	FILE_OP_fdatasync,
	FILE_OP_SLOTS,
};

#define NO_OFFSET ((__u64)-1)

struct file_op_start {
	__u64 time;
	struct file *file;	/* NULL: not known yet */
	const void *position;	/* in the file: where to find it; NULL: it is the file's own */
	__u64 offset;		/* or NO_OFFSET: known at the end */
	__u64 bytes;		/* that an fsync is limited to; 0: the whole file */
};

/* One operation may be part of another, as the fsync of a synchronous write: each has a place of its own. */
COUNTED_MAP(file_ops, BPF_MAP_TYPE_HASH, __u64, struct file_op_start, 16384);

static bool file_op_wanted(struct file *file);
static int file_op_done(enum file_op_slot slot, enum file_op op, const struct file_op_start *start, ns_t latency,
			long result);

static __always_inline __u64 file_op_key(enum file_op op)
{
	return bpf_get_current_pid_tgid() << FILE_OP_BITS | op;
}

static __always_inline bool wanted_current(void)
{
	return wanted_task(bpf_get_current_pid_tgid());
}

static __always_inline int file_op_keep(enum file_op op, struct file_op_start *start)
{
	__u64 key = file_op_key(op);

	start->time = bpf_ktime_get_ns();
	if (bpf_map_update_elem(&file_ops, &key, start, BPF_ANY))
		COUNT_DROPPED(file_ops);
	return 0;
}

/* Only for tasks that pass the filters. */
static __always_inline int file_op_begins(enum file_op op, struct file_op_start *start)
{
	return start->file && !file_op_wanted(start->file) ? 0 : file_op_keep(op, start);
}

static __always_inline int file_op_ends(enum file_op_slot slot, enum file_op op, long result)
{
	__u64 now = bpf_ktime_get_ns(), key = file_op_key(op);
	struct file_op_start *found = bpf_map_lookup_elem(&file_ops, &key), start;

	if (!found)
		return 0;
	start = *found;
	bpf_map_delete_elem(&file_ops, &key);
	if (op == open && !start.file) {
		/* Only now it is known which file it is; it is none when that failed. */
		start.file = current_file(result);
		if (!start.file || !file_op_wanted(start.file))
			return 0;
		result = 0;
	}
	return file_op_done(slot, op, &start, now - start.time, result);
}

/* Where in the file a read or write that is over began; of what was appended that is known only now. */
static __always_inline __u64 file_op_offset(const struct file_op_start *start, long result)
{
	struct file *file = start->file;
	__u64 end = 0;

	if (start->offset != NO_OFFSET)
		return start->offset;
	if (start->position)
		bpf_probe_read_kernel(&end, sizeof(end), start->position);
	else
		end = BPF_CORE_READ(file, f_pos);
	/* Another thread may have moved the position of the file meanwhile. */
	return result > 0 && end >= (__u64)result ? end - result : end;
}

/* The functions behind the system calls that read and write. */

#define FILE_OP_FUNCTION(name, writes, arguments)					\
SEC("fentry/" #name)									\
int name##__fentry(__u64 *ctx)								\
{											\
	struct file_op_start start = {							\
		.file = (void *)ctx[0],							\
		.position = (void *)ctx[3],						\
		.offset = NO_OFFSET,							\
	};										\
											\
	return wanted_current() ? file_op_begins(writes ? write : read, &start) : 0;	\
}											\
SEC("fexit/" #name)									\
int name##__fexit(__u64 *ctx)								\
{											\
	/* Only system calls have slots: functions are there instead of them. */	\
	return file_op_ends(writes ? FILE_OP_write : FILE_OP_read, writes ? write : read, ctx[arguments]);	\
}

#define FILE_OP_IO_FUNCTIONS FILE_IO_FUNCTIONS(FILE_OP_FUNCTION)

static __always_inline __u64 first_argument(void)
{
	struct pt_regs *regs = current_user_regs();

	return syscall_arg1(regs);
}

static __always_inline __u64 fourth_argument(void)
{
	struct pt_regs *regs = current_user_regs();

	return syscall_arg4(regs);
}

/* System calls: what is measured includes finding the file and waiting for its position. */

#define FILE_OP_SYSCALL(name, op, fd, at)						\
SEC("tp/syscalls/sys_enter_" #name)							\
int name##_begins__tp(void *ctx)								\
{											\
	struct file_op_start start = { .offset = at };					\
											\
	if (!wanted_current())								\
		return 0;								\
	start.file = fd;								\
	return start.file || op == open ? file_op_begins(op, &start) : 0;		\
}											\
SEC("tp/syscalls/sys_exit_" #name)							\
int name##_ends__tp(struct syscall_trace_exit *ctx)					\
{											\
	return file_op_ends(FILE_OP_##name, op, syscall_result(ctx));				\
}

#define FILE_OP_IO_SYSCALL(name, writes, positioned)					\
	FILE_OP_SYSCALL(name, (writes ? write : read), current_file(first_argument()), \
			positioned ? fourth_argument() : NO_OFFSET)

#define FILE_OP_IO_SYSCALLS FILE_IO_SYSCALLS(FILE_OP_IO_SYSCALL)

#define FILE_OP_OTHER_SYSCALLS							\
	FILE_OP_SYSCALL(open, open, NULL, 0)					\
	FILE_OP_SYSCALL(creat, open, NULL, 0)					\
	FILE_OP_SYSCALL(openat, open, NULL, 0)					\
	FILE_OP_SYSCALL(openat2, open, NULL, 0)					\
	FILE_OP_SYSCALL(fsync, fsync, current_file(first_argument()), 0)		\
	FILE_OP_SYSCALL(fdatasync, fsync, current_file(first_argument()), 0)

#endif
