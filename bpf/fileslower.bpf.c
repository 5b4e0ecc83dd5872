// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* Reads and writes of files that system calls wait for longer than a threshold. */
#include "file-op.h"
#include "slow-file-op.h"

const volatile bool all_files = false;

static __always_inline bool file_op_wanted(struct file *file)
{
	return all_files || file_type(file) == S_IFREG;
}

static __always_inline int file_op_done(enum file_op_slot slot, enum file_op op, const struct file_op_start *start,
					ns_t latency, long result)
{
	return slow_file_op(slot, op, start, latency, result);
}

FILE_OP_IO_FUNCTIONS
FILE_OP_IO_SYSCALLS

char LICENSE[] SEC("license") = "Dual BSD/GPL";
