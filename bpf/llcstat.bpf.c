// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* How well processes use the last-level cache, by sampling the processor's counters. */
#include "core.h"
#include "filter.h"
#include "table.h"
#include <bpf/bpf_helpers.h>

const volatile bool per_thread = false;
const volatile __u64 sample_period = 100;

struct key {
	pid_t pid;
	thread_t tid;
	comm_t comm[16];
	cpu_t cpu;
};

struct value {
	count_t references;
	count_t misses;
};

TABLE_IN(caches, BPF_MAP_TYPE_LRU_HASH, struct key, struct value, 16384);

static __always_inline struct value *current_row(void)
{
	__u64 id = bpf_get_current_pid_tgid();
	struct key key = { .pid = id >> 32, .cpu = bpf_get_smp_processor_id() };

	if (!wanted_task(id))
		return NULL;
	key.tid = per_thread ? (thread_t)id : key.pid;
	bpf_get_current_comm(key.comm, sizeof(key.comm));
	return table_row(caches, &key);
}

SEC("perf_event")
int reference(void *ctx)
{
	struct value *value = current_row();

	if (value)
		__sync_fetch_and_add(&value->references, sample_period);
	return 0;
}

SEC("perf_event")
int miss(void *ctx)
{
	struct value *value = current_row();

	if (value)
		__sync_fetch_and_add(&value->misses, sample_period);
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
