// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* Percentiles of how long requests to block devices take. */
#include "core.h"
#include "hist.h"
#include "requests.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>

const volatile bool since_allocation = false;
const volatile bool since_made = false;

struct key {
	dev_t dev;
	__u32 op;
};

HISTOGRAMS_WITH(hists, struct key, struct fine_hist, 1024);

static __always_inline void request_seen(void *ctx, struct pending *pending)
{
}

static __always_inline void request_done(struct request *rq, struct pending *pending, __u64 now, bool failed)
{
	struct key key = { .dev = request_disk(rq), .op = request_operation(rq) };
	__u64 since = pending->issued;

	if (since_made || since_allocation)
		since = pending->seen;
	if (since_allocation) {
		__u64 allocated = request_allocated(rq);

		if (allocated && allocated < since)
			since = allocated;
	}
	hist_add_slot(hists, &key, now - since, fine_slot((now - since) / hist_unit));
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
