// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* Operations of a file system that take long. */
#include "file-system.h"
#include "slow-file-op.h"

static __always_inline int file_op_done(enum file_op_slot slot, enum file_op op, const struct file_op_start *start,
					ns_t latency, long result)
{
	return is_unfinished(result) ? 0 : slow_file_op(slot, op, start, latency, result);
}

FILE_SYSTEM_PROGRAMS

char LICENSE[] SEC("license") = "Dual BSD/GPL";
