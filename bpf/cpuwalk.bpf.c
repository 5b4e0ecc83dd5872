// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* Which processors are busy, by samples. */
#include "core.h"
#include "filter.h"
#include "table.h"
#include <bpf/bpf_helpers.h>

const volatile bool by_command = false;

struct key {
	cpu_t cpu;
	comm_t comm[16];
};

struct value {
	count_t samples;
};

TABLE(counts, struct key, struct value, 40960);

SEC("perf_event")
int sample(void *ctx)
{
	__u64 id = bpf_get_current_pid_tgid();
	struct key key = { .cpu = bpf_get_smp_processor_id() };

	/* The idle thread. */
	if (!(thread_t)id || !wanted_task(id))
		return 0;
	if (by_command)
		bpf_get_current_comm(key.comm, sizeof(key.comm));
	table_add(counts, &key, samples, 1);
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
