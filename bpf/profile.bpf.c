// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* What runs on the processors, by samples of its stacks. */
#include "core.h"
#include "filter.h"
#include "filter-lists.h"
#include "stack-sides.h"
#include "table.h"
#include <bpf/bpf_helpers.h>

const volatile bool include_idle = false;

struct key {
	pid_t pid;
	comm_t comm[16];
	stack_id_t user;
	stack_id_t kernel;
};

struct value {
	count_t count;
};

TABLE(counts, struct key, struct value, 40960);

SEC("perf_event")
int sample(void *ctx)
{
	__u64 id = bpf_get_current_pid_tgid();
	struct key key = { .pid = id >> 32, .user = NO_STACK, .kernel = NO_STACK };

	if (!include_idle && (thread_t)id == 0)
		return 0;
	if (!wanted_lists(id) || !wanted_task(id))
		return 0;
	bpf_get_current_comm(key.comm, sizeof(key.comm));
	take_sides(ctx, &key);

	table_add(counts, &key, count, 1);
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
