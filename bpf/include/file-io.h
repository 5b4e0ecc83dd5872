/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Reads and writes of files that system calls ask for: read(2), pread(2),
 * readv(2), preadv(2) and their counterparts that write. They are seen where
 * the four functions behind them return (fexit), or, where the kernel does not
 * allow that, where the ten system calls return.
 *
 * Whoever includes this file says what is done with each, and ends with
 * FILE_IO_PROGRAMS. User space attaches one kind or the other.
 */
#ifndef KSCOPE_FILE_IO_H
#define KSCOPE_FILE_IO_H

#include "core.h"
#include "file-calls.h"
#include "file.h"
#include "filter.h"
#include "syscall-exit.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>

/* One for each program. */
enum file_io_slot {
#define FILE_IO_SLOT(name, ...) FILE_IO_##name,
	FILE_IO_FUNCTIONS(FILE_IO_SLOT)
	FILE_IO_SYSCALLS(FILE_IO_SLOT)
	FILE_IO_SLOTS,
};

/* For tasks that pass the filters; `result` is the number of bytes, or a negative error. */
static int file_io(enum file_io_slot slot, struct file *file, bool write, long result);

static __always_inline int file_io_returns(enum file_io_slot slot, struct syscall_trace_exit *ctx, bool write)
{
	struct file *file;

	if (!wanted_task(bpf_get_current_pid_tgid()))
		return 0;
	file = current_file(syscall_arg1(current_user_regs()));
	return file ? file_io(slot, file, write, syscall_result(ctx)) : 0;
}

/* Adds it to a structure with the members reads, writes, rbytes and wbytes. */
#define add_file_io(totals, write, result)					\
do {										\
	__sync_fetch_and_add((write) ? &(totals)->writes : &(totals)->reads, 1);	\
	if ((result) > 0)							\
		__sync_fetch_and_add((write) ? &(totals)->wbytes : &(totals)->rbytes, result); \
} while (0)

#define FILE_IO_FEXIT(name, write, arguments)					\
SEC("fexit/" #name)								\
int name##__fexit(__u64 *ctx)							\
{										\
	if (!wanted_task(bpf_get_current_pid_tgid()))				\
		return 0;							\
	return file_io(FILE_IO_##name, (void *)ctx[0], write, ctx[arguments]);	\
}

#define FILE_IO_TP(name, write, positioned)					\
SEC("tp/syscalls/sys_exit_" #name)						\
int name##__tp(struct syscall_trace_exit *ctx)					\
{										\
	return file_io_returns(FILE_IO_##name, ctx, write);			\
}

#define FILE_IO_PROGRAMS FILE_IO_FUNCTIONS(FILE_IO_FEXIT) FILE_IO_SYSCALLS(FILE_IO_TP)

#endif
