// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* How long the operations of a file system take. */
#include "file-system.h"
#include "hist.h"

struct key {
	enum file_op operation;
};

HISTOGRAMS(hists, struct key, 8);

static __always_inline int file_op_done(enum file_op_slot slot, enum file_op op, const struct file_op_start *start,
					ns_t latency, long result)
{
	struct key key = { .operation = op };

	if (!is_unfinished(result))
		hist_add(hists, &key, latency);
	return 0;
}

FILE_SYSTEM_PROGRAMS
FILE_SYSTEM_GETATTR

char LICENSE[] SEC("license") = "Dual BSD/GPL";
