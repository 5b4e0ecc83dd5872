// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* How long queries of databases take. */
#include "core.h"
#include "hist.h"
#include "queries.h"

const volatile __u64 min_latency = 0;

struct key {
	__u32 unused;
};

HISTOGRAMS(hists, struct key, 1);

static __always_inline int query_done(struct query *query, __u64 latency, bool failed)
{
	struct key key = {};

	if (latency >= min_latency)
		hist_add(hists, &key, latency);
	return 0;
}

QUERIES(query_done)

char LICENSE[] SEC("license") = "Dual BSD/GPL";
