// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * How long threads wait for locks of the kernel, by the function that wants
 * one. Only locks that somebody else holds are met: the tracepoints are in the
 * paths that wait ("locking: Add lock contention tracepoints", 5.19).
 */
#include "core.h"
#include "filter.h"
#include "lock-functions.h"
#include "table.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#define DEPTH 16

const volatile bool by_thread = false;
const volatile bool by_lock = false;
const volatile __u64 filter_lock = 0;

struct key {
	__u32 flags;
	pid_t pid;
	thread_t tid;
	comm_t comm[16];
	addr_t address;	/* that wants the lock */
	addr_t lock;
};

struct value {
	count_t count;
	ns_t total;
	maybe_ns_t max;		/* since the start: it does not add up */
};

TABLE(waits, struct key, struct value, 10240);

/* A thread may wait for a spinlock in an interrupt while it waits for another lock. */
struct wait_key {
	__u64 lock;
	thread_t tid;
	cpu_t cpu;
};

struct wait {
	__u64 since;
	struct key key;
};

COUNTED_MAP(waiting, BPF_MAP_TYPE_HASH, struct wait_key, struct wait, 10240);

struct frames {
	__u64 address[DEPTH];
};

SCRATCH(stack, struct frames, 1);

/* The innermost function that is called neither by the tracepoint nor by the lock itself. */
static __always_inline __u64 who_locks(void *ctx)
{
	struct frames *frames = scratch(stack, 0);
	bool locking = false;
	long size;

	if (!frames)
		return 0;
	size = bpf_get_stack(ctx, frames, sizeof(*frames), 0);
	for (int i = 0; i < DEPTH; i++) {
		if ((i + 1) * 8 > size)
			break;
		if (is_lock_function(frames->address[i]))
			locking = true;
		else if (locking)
			return frames->address[i];
	}
	return 0;
}

static __always_inline void make_key(struct wait_key *key, void *lock)
{
	key->lock = (__u64)lock;
	key->tid = bpf_get_current_pid_tgid();
	/* Each processor has an idle thread, all of them have this number. */
	key->cpu = key->tid ? 0 : bpf_get_smp_processor_id();
}

SEC("tp_btf/contention_begin")
int BPF_PROG(contention_begin__tp_btf, void *lock, unsigned int flags)
{
	__u64 id = bpf_get_current_pid_tgid();
	struct wait_key key = {};
	struct wait wait = {};

	if ((filter_lock && (__u64)lock != filter_lock) || !wanted_task(id))
		return 0;
	make_key(&key, lock);
	/* A mutex begins twice when spinning was in vain. */
	if (bpf_map_lookup_elem(&waiting, &key))
		return 0;
	wait.key.flags = flags;
	if (by_thread) {
		wait.key.pid = id >> 32;
		wait.key.tid = id;
		bpf_get_current_comm(wait.key.comm, sizeof(wait.key.comm));
	}
	wait.key.address = who_locks(ctx);
	if (by_lock)
		wait.key.lock = (__u64)lock;
	wait.since = bpf_ktime_get_ns();
	if (bpf_map_update_elem(&waiting, &key, &wait, BPF_ANY))
		COUNT_DROPPED(waiting);
	return 0;
}

SEC("tp_btf/contention_end")
int BPF_PROG(contention_end__tp_btf, void *lock)
{
	struct wait_key key = {};
	struct value *value;
	struct wait *wait;
	__u64 time;

	make_key(&key, lock);
	wait = bpf_map_lookup_elem(&waiting, &key);
	if (!wait)
		return 0;
	time = bpf_ktime_get_ns() - wait->since;
	value = table_row(waits, &wait->key);
	if (value) {
		__sync_fetch_and_add(&value->count, 1);
		__sync_fetch_and_add(&value->total, time);
		if (time > value->max)
			value->max = time;
	}
	bpf_map_delete_elem(&waiting, &key);
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
