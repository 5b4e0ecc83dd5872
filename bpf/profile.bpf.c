// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* What runs on the processors, by samples of its stacks. */
#include "core.h"
#include "events.h"
#include "filter.h"
#include "filter-lists.h"
#include "stack.h"
#include "table.h"
#include <bpf/bpf_helpers.h>

const volatile bool include_idle = false;
const volatile bool user_only = false;
const volatile bool kernel_only = false;

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
STACKS(stacks);

SEC("perf_event")
int sample(void *ctx)
{
	__u64 id = bpf_get_current_pid_tgid();
	struct key key = { .pid = id >> 32, .user = NO_STACK, .kernel = NO_STACK };
	struct value *value;

	if (!include_idle && (thread_t)id == 0)
		return 0;
	if (!wanted_lists(id) || !wanted_task(id))
		return 0;
	bpf_get_current_comm(key.comm, sizeof(key.comm));
	if (!user_only)
		key.kernel = kernel_stack(ctx, stacks);
	if (!kernel_only)
		key.user = user_stack(ctx, stacks);

	value = table_row(counts, &key);
	if (value)
		__sync_fetch_and_add(&value->count, 1);
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
