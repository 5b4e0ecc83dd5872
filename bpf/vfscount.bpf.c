// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* How often each function of the virtual file system is called. */
#include "core.h"
#include "filter.h"
#include "probe-points.h"
#include "table.h"

struct key {
	addr_t address;
};

struct value {
	count_t count;
};

TABLE_IN(calls, BPF_MAP_TYPE_PERCPU_HASH, struct key, struct value, 1024);

static __always_inline int called(void *ctx, __u64 address)
{
	struct key key = { .address = address };

	if (wanted_task(bpf_get_current_pid_tgid()))
		table_add(calls, &key, count, 1);
	return 0;
}

KERNEL_POINTS(called)

char LICENSE[] SEC("license") = "Dual BSD/GPL";
