// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* How often places of all kinds are passed. */
#include "core.h"
#include "cpu-filter.h"
#include "filter.h"
#include "probe-points.h"
#include "table.h"


struct key {
	__u64 point;
};

struct value {
	count_t count;
};

TABLE_IN(counts, BPF_MAP_TYPE_PERCPU_HASH, struct key, struct value, 65536);

static __always_inline int hit(void *ctx, __u64 id)
{
	struct key key = { .point = id };

	if (!wanted_cpu())
		return 0;
	if (!wanted_task(bpf_get_current_pid_tgid()))
		return 0;
	table_add(counts, &key, count, 1);
	return 0;
}

PROBE_POINTS(hit)

char LICENSE[] SEC("license") = "Dual BSD/GPL";
