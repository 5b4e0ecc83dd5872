// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* Who ends the waits of others: the time from leaving a processor until being woken, by the stack of the waker. */
#include "core.h"
#include "events.h"
#include "filter.h"
#include "sched.h"
#include "stack.h"
#include "table.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

const volatile bool user_threads = false;
const volatile us_t min_block = 1;
const volatile us_t max_block = (us_t)-1;

struct key {
	pid_t pid;
	comm_t comm[16];
	comm_t target[16];
	stack_id_t kernel;
};

struct value {
	ns_t time;
};

/* A thread that sleeps. */
struct asleep {
	__u64 since;
	comm_t comm[16];
};

COUNTED_MAP(sleeping, BPF_MAP_TYPE_HASH, thread_t, struct asleep, 65536);
TABLE(times, struct key, struct value, 40960);
STACKS(stacks);

/* The thread that leaves is still the current one. One that could go on running needs nobody to wake it. */
SEC("tp_btf/sched_switch")
int BPF_PROG(switch__tp_btf, bool preempted, struct task_struct *prev)
{
	__u64 id = bpf_get_current_pid_tgid();
	__u32 state = state_left_in(prev, preempted);
	struct asleep asleep = {};
	thread_t tid = id;

	if (!tid || state == TASK_RUNNING || state & TASK_DEAD || !wanted_task(id))
		return 0;
	if (user_threads && is_kernel_thread(prev))
		return 0;
	bpf_get_current_comm(asleep.comm, sizeof(asleep.comm));
	asleep.since = bpf_ktime_get_ns();
	if (bpf_map_update_elem(&sleeping, &tid, &asleep, BPF_ANY))
		COUNT_DROPPED(sleeping);
	return 0;
}

/* Not sched_wakeup, which may run on the processor of the one that is woken. */
SEC("tp_btf/sched_waking")
int BPF_PROG(waking__tp_btf, struct task_struct *target)
{
	thread_t tid = BPF_CORE_READ(target, pid);
	struct asleep *asleep = bpf_map_lookup_elem(&sleeping, &tid);
	__u64 time;
	struct key key = {};

	if (!asleep)
		return 0;
	time = bpf_ktime_get_ns() - asleep->since;
	__builtin_memcpy(key.target, asleep->comm, sizeof(key.target));
	bpf_map_delete_elem(&sleeping, &tid);
	if (time / 1000 < min_block || time / 1000 > max_block)
		return 0;
	key.pid = bpf_get_current_pid_tgid() >> 32;
	bpf_get_current_comm(key.comm, sizeof(key.comm));
	key.kernel = kernel_stack(ctx, stacks);
	table_add(times, &key, time, time);
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
