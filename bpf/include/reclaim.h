/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Reclaim of memory by tasks that need some: direct, because the machine has
 * none left, or because the limit of a cgroup is reached. The programs are
 * here; a tool that includes this says in reclaim_done() what it does at the end.
 */
#ifndef KSCOPE_RECLAIM_H
#define KSCOPE_RECLAIM_H

#include "core.h"
#include "events.h"
#include "filter.h"
#include "probe.h"
#include <bpf/bpf_helpers.h>

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct trace_event_raw_mm_vmscan_direct_reclaim_begin_template {
	int order;
};

struct trace_event_raw_mm_vmscan_direct_reclaim_end_template {
	unsigned long nr_reclaimed;
};

#pragma clang attribute pop

struct reclaim {
	__u64 start;
	int order;
	bool memcg;	/* for the limit of a cgroup */
};

ENTRY_MAP(reclaims, struct reclaim);

static __always_inline void reclaim_done(const struct reclaim *reclaim, __u64 latency, __u64 pages);

static __always_inline int reclaim_begins(int order, bool memcg)
{
	struct reclaim reclaim = { .order = order, .memcg = memcg };

	if (!wanted_task(bpf_get_current_pid_tgid()))
		return 0;
	reclaim.start = bpf_ktime_get_ns();
	entry_keep(reclaims, &reclaim);
	return 0;
}

static __always_inline int reclaim_ends(__u64 pages)
{
	struct reclaim *reclaim = entry_find(reclaims);

	if (!reclaim)
		return 0;
	reclaim_done(reclaim, bpf_ktime_get_ns() - reclaim->start, pages);
	entry_forget(reclaims);
	return 0;
}

SEC("tp/vmscan/mm_vmscan_direct_reclaim_begin")
int direct_begins__tp(struct trace_event_raw_mm_vmscan_direct_reclaim_begin_template *ctx)
{
	return reclaim_begins(ctx->order, false);
}

SEC("tp/vmscan/mm_vmscan_direct_reclaim_end")
int direct_ends__tp(struct trace_event_raw_mm_vmscan_direct_reclaim_end_template *ctx)
{
	return reclaim_ends(ctx->nr_reclaimed);
}

SEC("tp/vmscan/mm_vmscan_memcg_reclaim_begin")
int memcg_begins__tp(struct trace_event_raw_mm_vmscan_direct_reclaim_begin_template *ctx)
{
	return reclaim_begins(ctx->order, true);
}

SEC("tp/vmscan/mm_vmscan_memcg_reclaim_end")
int memcg_ends__tp(struct trace_event_raw_mm_vmscan_direct_reclaim_end_template *ctx)
{
	return reclaim_ends(ctx->nr_reclaimed);
}

#endif
