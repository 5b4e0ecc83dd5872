// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* What the runtimes of languages do: how much of each. */
#include "filter.h"
#include "table.h"
#include "usdt.h"

struct process {
	pid_t pid;
};

struct activity {
	comm_t comm[16];
	count_t methods;
	count_t collections;
	count_t objects;
	count_t classes;
	count_t exceptions;
	count_t threads;
};

TABLE(activities, struct process, struct activity, 10240);

static __always_inline struct activity *activity_of(__u64 id)
{
	struct process process = { .pid = id >> 32 };
	struct activity *activity = wanted_task(id) ? table_row(activities, &process) : NULL;

	if (activity && !activity->comm[0])
		bpf_get_current_comm(activity->comm, sizeof(activity->comm));
	return activity;
}

#define COUNTED(name)							\
SEC("usdt")								\
int name(struct pt_regs *ctx)						\
{									\
	struct activity *activity = activity_of(bpf_get_current_pid_tgid()); \
									\
	if (activity)							\
		__sync_fetch_and_add(&activity->name, 1);		\
	return 0;							\
}

COUNTED(methods)
COUNTED(collections)
COUNTED(objects)
COUNTED(classes)
COUNTED(exceptions)
COUNTED(threads)

char LICENSE[] SEC("license") = "Dual BSD/GPL";
