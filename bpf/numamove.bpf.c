// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* Pages that are moved to the memory of another NUMA node. */
#include "core.h"
#include "probe.h"
#include "table.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>

const volatile int wanted_reason = 0;	/* a number of enum migrate_reason, which user space looks up */

/* One for all. */
struct key {
	__u32 _all;
};

struct value {
	count_t migrations;
	count_t failures;
	ns_t total;
};

TABLE(moves, struct key, struct value, 16);

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

enum migrate_reason {
	MR_COMPACTION,
};

struct trace_event_raw_mm_migrate_pages_start {
	enum migrate_reason reason;
};

struct trace_event_raw_mm_migrate_pages {
	unsigned long succeeded;
	unsigned long failed;
	enum migrate_reason reason;
};

/* To 7.2 or so it was just a number. */
struct trace_event_raw_mm_migrate_pages_start___number {
	int reason;
};

struct trace_event_raw_mm_migrate_pages___number {
	int reason;
};

#pragma clang attribute pop

#define HAS_WANTED_REASON(ctx, record)					\
({									\
	struct record##___number *__number = (void *)(ctx);		\
									\
	bpf_core_field_exists(__number->reason) ? __number->reason == wanted_reason :	\
						  ((struct record *)(ctx))->reason == wanted_reason;	\
})

ENTRY_MAP(starts, __u64);

SEC("tp/migrate/mm_migrate_pages_start")
int mm_migrate_pages_start__tp(struct trace_event_raw_mm_migrate_pages_start *ctx)
{
	__u64 now = bpf_ktime_get_ns();

	if (HAS_WANTED_REASON(ctx, trace_event_raw_mm_migrate_pages_start))
		entry_keep(starts, &now);
	return 0;
}

SEC("tp/migrate/mm_migrate_pages")
int mm_migrate_pages__tp(struct trace_event_raw_mm_migrate_pages *ctx)
{
	struct key key = {};
	__u64 *start = entry_find(starts);
	struct value *value;

	if (!HAS_WANTED_REASON(ctx, trace_event_raw_mm_migrate_pages))
		return 0;
	value = table_row(moves, &key);
	if (value) {
		__sync_fetch_and_add(&value->migrations, ctx->succeeded);
		__sync_fetch_and_add(&value->failures, ctx->failed);
		if (start)
			__sync_fetch_and_add(&value->total, bpf_ktime_get_ns() - *start);
	}
	entry_forget(starts);
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
