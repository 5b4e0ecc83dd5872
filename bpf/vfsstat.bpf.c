// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * How often the main functions of the virtual file system are called, or, on
 * kernels that do not let them be traced, the system calls that lead to them.
 */
#include "compat.h"
#include "core.h"
#include "file-calls.h"
#include "file.h"
#include "filter.h"
#include "syscall-exit.h"
#include "table.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_tracing.h>

/* Of open files: this open made it. Since 4.19 ("introduce FMODE_CREATED and switch to it"), the same value. */
#define FMODE_CREATED 0x100000
#define AT_REMOVEDIR 0x200

struct value {
	count_t reads;
	count_t writes;
	count_t fsyncs;
	count_t opens;
	count_t creates;
	count_t unlinks;
	count_t mkdirs;
	count_t rmdirs;
};

TOTALS(totals, struct value);

static __always_inline bool wanted(void)
{
	return wanted_task(bpf_get_current_pid_tgid());
}

/* Whether it is counted at all has been decided. */
#define ADD(counter)							\
do {									\
	struct value *__value = totals_row(totals);			\
									\
	if (__value)							\
		__sync_fetch_and_add(&__value->counter, 1);		\
} while (0)

static __always_inline void count_open(struct file *file)
{
	ADD(opens);
	if (BPF_CORE_READ(file, f_mode) & FMODE_CREATED)
		ADD(creates);
}

#define FUNCTION(name, count, file)					\
SEC("fentry/" #name)							\
int name##__fentry(__u64 *ctx)						\
{									\
	if (wanted())							\
		count((void *)ctx[file]);				\
	return 0;							\
}									\
SEC("kprobe/" #name)							\
int name##__kprobe(struct pt_regs *ctx)					\
{									\
	if (wanted())							\
		count((void *)(file ? PT_REGS_PARM2(ctx) : PT_REGS_PARM1(ctx)));	\
	return 0;							\
}

#define COUNT_READ(file) ADD(reads)
#define COUNT_WRITE(file) ADD(writes)
#define COUNT_CREATE(file) ADD(creates)
#define COUNT_UNLINK(file) ADD(unlinks)
#define COUNT_MKDIR(file) ADD(mkdirs)
#define COUNT_RMDIR(file) ADD(rmdirs)

FUNCTION(vfs_read, COUNT_READ, 0)
FUNCTION(vfs_readv, COUNT_READ, 0)
FUNCTION(vfs_write, COUNT_WRITE, 0)
FUNCTION(vfs_writev, COUNT_WRITE, 0)
FUNCTION(vfs_open, count_open, 1)
FUNCTION(vfs_create, COUNT_CREATE, 0)
FUNCTION(vfs_unlink, COUNT_UNLINK, 0)
FUNCTION(vfs_mkdir, COUNT_MKDIR, 0)
FUNCTION(security_inode_rmdir, COUNT_RMDIR, 0)

/* A condition on the result and the arguments. */
#define SYSCALL(name, condition, count)					\
SEC("tp/syscalls/sys_exit_" #name)					\
int name##__tp(struct syscall_trace_exit *ctx)				\
{									\
	if (wanted() && (condition))					\
		count;							\
	return 0;							\
}

/* A descriptor that is none leads nowhere. */
#define IO_SYSCALL(name, is_write, positioned)				\
	SYSCALL(name, current_file(syscall_arg1(current_user_regs())), count_io(is_write))

static __always_inline void count_io(bool is_write)
{
	if (is_write)
		ADD(writes);
	else
		ADD(reads);
}

static __always_inline void count_unlinkat(struct pt_regs *regs)
{
	if (syscall_arg3(regs) & AT_REMOVEDIR)
		ADD(rmdirs);
	else
		ADD(unlinks);
}

static __always_inline bool makes_file(__u32 mode)
{
	return !(mode & S_IFMT) || (mode & S_IFMT) == S_IFREG;
}

static __always_inline bool mknod_makes_file(struct pt_regs *regs)
{
	return makes_file(syscall_arg2(regs));
}

static __always_inline bool mknodat_makes_file(struct pt_regs *regs)
{
	return makes_file(syscall_arg3(regs));
}

FILE_IO_SYSCALLS(IO_SYSCALL)
SYSCALL(fsync, !syscall_result(ctx), ADD(fsyncs))
SYSCALL(fdatasync, !syscall_result(ctx), ADD(fsyncs))
SYSCALL(open, syscall_result(ctx) >= 0, count_open(current_file(syscall_result(ctx))))
SYSCALL(creat, syscall_result(ctx) >= 0, count_open(current_file(syscall_result(ctx))))
SYSCALL(openat, syscall_result(ctx) >= 0, count_open(current_file(syscall_result(ctx))))
SYSCALL(openat2, syscall_result(ctx) >= 0, count_open(current_file(syscall_result(ctx))))
SYSCALL(mknod, !syscall_result(ctx) && mknod_makes_file(current_user_regs()), ADD(creates))
SYSCALL(mknodat, !syscall_result(ctx) && mknodat_makes_file(current_user_regs()), ADD(creates))
SYSCALL(unlink, !syscall_result(ctx), ADD(unlinks))
SYSCALL(unlinkat, !syscall_result(ctx), count_unlinkat(current_user_regs()))
SYSCALL(mkdir, !syscall_result(ctx), ADD(mkdirs))
SYSCALL(mkdirat, !syscall_result(ctx), ADD(mkdirs))
SYSCALL(rmdir, !syscall_result(ctx), ADD(rmdirs))

char LICENSE[] SEC("license") = "Dual BSD/GPL";
