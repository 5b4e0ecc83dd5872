/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * The time between leaving a processor and coming back to one, added up by
 * what a tool keeps of the wait: its `struct key`, defined before this is
 * included, with the members that leave() fills here, and others that it may
 * fill while the thread is away.
 */
#ifndef KSCOPE_OFF_CPU_H
#define KSCOPE_OFF_CPU_H

#include "core.h"
#include "events.h"
#include "filter.h"
#include "filter-lists.h"
#include "sched.h"
#include "stack-sides.h"
#include "table.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

/* What other members of the key begin with: members and values, each behind a comma. */
#ifndef OFF_CPU_KEY
#define OFF_CPU_KEY
#endif

#define ANY_STATE ((__u32)-1)

const volatile bool user_threads = false;
const volatile bool kernel_threads = false;
const volatile us_t min_block = 1;
const volatile us_t max_block = (us_t)-1;
const volatile __u32 state_mask = ANY_STATE;

struct value {
	ns_t time;
};

/* A thread that is not on a processor. */
struct left {
	__u64 since;
	struct key key;
};

COUNTED_MAP(waiting, BPF_MAP_TYPE_HASH, thread_t, struct left, 65536);
/* A thread leaves that is not known to have come back: a kernel may hide tasks from tracing, and the switches from them. */
__u64 ends_of_waits_lost;
TABLE(times, struct key, struct value, 40960);

static __always_inline bool wanted_state(__u32 state)
{
	/* A thread that ends does not come back. */
	if (state & TASK_DEAD)
		return false;
	if (state_mask == ANY_STATE)
		return true;
	return state_mask == TASK_RUNNING ? state == TASK_RUNNING : state & state_mask;
}

/* The thread that leaves is still the current one. */
static __always_inline void leave(void *ctx, struct task_struct *prev, bool preempted)
{
	__u64 id = bpf_get_current_pid_tgid();
	thread_t tid = id;
	struct left left = {
		.key = { .pid = id >> 32, .tid = tid, .user = NO_STACK, .kernel = NO_STACK OFF_CPU_KEY },
	};
	int err;

	/* Each processor has an idle thread, all of them have this number. */
	if (!tid || !wanted_lists(id) || !wanted_task(id))
		return;
	if (user_threads && is_kernel_thread(prev))
		return;
	if (kernel_threads && !is_kernel_thread(prev))
		return;
	if (!wanted_state(state_left_in(prev, preempted))) {
		if (!bpf_map_delete_elem(&waiting, &tid))
			COUNT(ends_of_waits_lost);
		return;
	}
	bpf_get_current_comm(left.key.comm, sizeof(left.key.comm));
	take_sides(ctx, &left.key);
	left.since = bpf_ktime_get_ns();
	err = update_error(&waiting, &tid, &left, BPF_NOEXIST);
	if (err == -EEXIST) {
		COUNT(ends_of_waits_lost);
		bpf_map_update_elem(&waiting, &tid, &left, BPF_ANY);
	} else if (err) {
		COUNT_DROPPED(waiting);
	}
}

static __always_inline void come_back(struct task_struct *next)
{
	thread_t tid = BPF_CORE_READ(next, pid);
	struct left *left = bpf_map_lookup_elem(&waiting, &tid);
	__u64 time;
	struct key key;

	if (!left)
		return;
	time = bpf_ktime_get_ns() - left->since;
	key = left->key;
	bpf_map_delete_elem(&waiting, &tid);
	if (time / 1000 < min_block || time / 1000 > max_block)
		return;
	table_add(times, &key, time, time);
}

SEC("tp_btf/sched_switch")
int BPF_PROG(switch__tp_btf, bool preempted, struct task_struct *prev, struct task_struct *next)
{
	leave(ctx, prev, preempted);
	come_back(next);
	return 0;
}

#endif
