// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* How long tasks are held up by reclaiming memory. */
#include "core.h"
#include "hist.h"
#include "reclaim.h"
#include <bpf/bpf_helpers.h>

const volatile bool by_comm = false;

struct key {
	comm_t comm[16];
	bool memcg;
};

HISTOGRAMS(hists, struct key, 10240);

static __always_inline void reclaim_done(const struct reclaim *reclaim, __u64 latency, __u64 pages)
{
	struct key key = { .memcg = reclaim->memcg };

	if (by_comm)
		bpf_get_current_comm(key.comm, sizeof(key.comm));
	hist_add(hists, &key, latency);
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
