/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * The operations of one kind of file system, with the time that each took:
 * of its own functions, which user space names (fentry and fexit, or kprobe
 * and kretprobe), or else of the system calls on its files.
 *
 * Whoever includes this file has file_op_done(), and ends with
 * FILE_SYSTEM_PROGRAMS.
 */
#ifndef KSCOPE_FILE_SYSTEM_H
#define KSCOPE_FILE_SYSTEM_H

#include "file-op.h"
#include <bpf/bpf_tracing.h>

#define EAGAIN 11
#define EIOCBQUEUED 529

const volatile text_t filter_type[16] = {};
const volatile text_t filter_other_type[16] = {};	/* of the same kind */

/* Other types have the same functions. */
const volatile bool shared_functions = false;

/* Their getattr has the path first, or behind what came in front of the arguments of both at the same time. */
const volatile __u32 vfs_unlink_arguments = 4;

/* Of a file: it is open. Since 4.19 ("introduce FMODE_OPENED"), the same value. */
#define FMODE_OPENED 0x80000

/* The kernel's request to read or write. */
struct kiocb {
	struct file *ki_filp;
	long long ki_pos;
} __attribute__((preserve_access_index));

/* What is not done yet: it goes on without the caller, or is tried again by one that may wait. */
static __always_inline bool is_unfinished(long result)
{
	return result == -EIOCBQUEUED || result == -EAGAIN;
}

static __always_inline bool same_type(const char type[16], const volatile char wanted[16])
{
	for (int i = 0; i < 16; i++) {
		if (type[i] != wanted[i])
			return false;
		if (!type[i])
			break;
	}
	return true;
}

static __always_inline bool is_wanted_type(struct super_block *file_system)
{
	char type[16] = {};

	bpf_probe_read_kernel_str(type, sizeof(type), BPF_CORE_READ(file_system, s_type, name));
	return same_type(type, filter_type) || (filter_other_type[0] && same_type(type, filter_other_type));
}

/* Asked only at system calls. */
static __always_inline bool file_op_wanted(struct file *file)
{
	return file_type(file) == S_IFREG && is_wanted_type(BPF_CORE_READ(file, f_inode, i_sb));
}

/* The functions have their arguments in common on all kernels, but for getattr. */

static __always_inline int function_begins(enum file_op op, struct file_op_start *start)
{
	struct file *file = start->file;

	if (shared_functions && !is_wanted_type(BPF_CORE_READ(file, f_inode, i_sb)))
		return 0;
	return file_op_keep(op, start);
}

static __always_inline int request_begins(enum file_op op, __u64 address)
{
	struct kiocb *request = (void *)address;
	struct file_op_start start = {
		.position = (void *)address + bpf_core_field_offset(struct kiocb, ki_pos),
		.offset = NO_OFFSET,
	};

	start.file = BPF_CORE_READ(request, ki_filp);
	return function_begins(op, &start);
}

static __always_inline int read_begins(__u64 request, __u64 buffer, __u64 none)
{
	return request_begins(read, request);
}

static __always_inline int write_begins(__u64 request, __u64 buffer, __u64 none)
{
	return request_begins(write, request);
}

static __always_inline int open_begins(__u64 inode, __u64 file, __u64 none)
{
	struct file_op_start start = { .file = (void *)file };

	return function_begins(open, &start);
}

/* A lookup that may open the file on its way, or create it. The file is none yet. */
static __always_inline int lookup_begins(__u64 directory, __u64 entry, __u64 file)
{
	struct inode *inode = (void *)directory;
	struct file_op_start start = { .file = (void *)file };

	if (shared_functions && !is_wanted_type(BPF_CORE_READ(inode, i_sb)))
		return 0;
	return file_op_keep(open, &start);
}

static __always_inline int lookup_ends(int result)
{
	__u64 key = file_op_key(open);
	struct file_op_start *start = bpf_map_lookup_elem(&file_ops, &key);
	struct file *file;

	if (!start)
		return 0;
	file = start->file;
	if (!result && BPF_CORE_READ(file, f_mode) & FMODE_OPENED)
		return file_op_ends(FILE_OP_creat, open, 0);
	bpf_map_delete_elem(&file_ops, &key);
	return 0;
}

static __always_inline int fsync_begins(__u64 file, __u64 from, __u64 to)
{
	struct file_op_start start = { .file = (void *)file, .offset = from };

	if (to < (__u64)-1 >> 1)
		start.bytes = to - from + 1;
	return function_begins(fsync, &start);
}

static __always_inline int getattr_begins(__u64 a, __u64 b, __u64 c)
{
	struct path *path = (void *)(vfs_unlink_arguments == 3 ? a : b);
	struct file_op_start start = {};

	if (shared_functions && !is_wanted_type(BPF_CORE_READ(path, dentry, d_inode, i_sb)))
		return 0;
	return file_op_keep(getattr, &start);
}

/* Functions have the slots of system calls, as they are there instead of them. */
#define FILE_SYSTEM_PROBES(op, fexit_ends, kretprobe_ends)				\
SEC("fentry")										\
int op##__fentry(__u64 *ctx)								\
{											\
	return wanted_current() ? op##_begins(ctx[0], ctx[1], ctx[2]) : 0;		\
}											\
SEC("fexit")										\
int op##__fexit(__u64 *ctx)								\
{											\
	return fexit_ends;								\
}											\
SEC("kprobe")										\
int op##__kprobe(struct pt_regs *ctx)							\
{											\
	return wanted_current() ?							\
		op##_begins(PT_REGS_PARM1(ctx), PT_REGS_PARM2(ctx), PT_REGS_PARM3(ctx)) : 0;	\
}											\
SEC("kretprobe")									\
int op##__kretprobe(struct pt_regs *ctx)						\
{											\
	return kretprobe_ends;								\
}

#define FILE_SYSTEM_FUNCTION(op, slot, fexit_result, kretprobe_result)			\
	FILE_SYSTEM_PROBES(op, file_op_ends(slot, op, fexit_result), file_op_ends(slot, op, kretprobe_result))

#define FILE_SYSTEM_PROGRAMS								\
	FILE_SYSTEM_FUNCTION(read, FILE_OP_read, ctx[2], PT_REGS_RC(ctx))		\
	FILE_SYSTEM_FUNCTION(write, FILE_OP_write, ctx[2], PT_REGS_RC(ctx))		\
	FILE_SYSTEM_FUNCTION(open, FILE_OP_open, (int)ctx[2], (int)PT_REGS_RC(ctx))	\
	FILE_SYSTEM_PROBES(lookup, lookup_ends(ctx[5]), lookup_ends(PT_REGS_RC(ctx)))	\
	FILE_SYSTEM_FUNCTION(fsync, FILE_OP_fsync, (int)ctx[4], (int)PT_REGS_RC(ctx))	\
	FILE_OP_IO_SYSCALLS								\
	FILE_OP_OTHER_SYSCALLS

/* The number of arguments differs between kernels, and the result does not matter. */
#define FILE_SYSTEM_GETATTR FILE_SYSTEM_FUNCTION(getattr, FILE_OP_openat, 0, 0)

#endif
