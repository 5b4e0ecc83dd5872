// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* The stacks that lead to places of all kinds. */
#include "core.h"
#include "cpu-filter.h"
#include "filter.h"
#include "probe-points.h"
#include "stack-sides.h"
#include "table.h"

const volatile bool per_process = false;

struct key {
	maybe_pid_t pid;
	maybe_comm_t comm[16];
	stack_id_t user;
	stack_id_t kernel;
};

struct value {
	count_t count;
};

TABLE(counts, struct key, struct value, 40960);

static __always_inline int hit(void *ctx, __u64 id)
{
	__u64 task = bpf_get_current_pid_tgid();
	struct key key = { .user = NO_STACK, .kernel = NO_STACK };

	if (!wanted_cpu())
		return 0;
	if (!wanted_task(task))
		return 0;
	/* Addresses in programs mean nothing without the process. */
	if (per_process || !kernel_only) {
		key.pid = task >> 32;
		bpf_get_current_comm(key.comm, sizeof(key.comm));
	}
	take_sides(ctx, &key);
	table_add(counts, &key, count, 1);
	return 0;
}

PROBE_POINTS(hit)

char LICENSE[] SEC("license") = "Dual BSD/GPL";
