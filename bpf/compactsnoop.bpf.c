// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* Each time that a zone of memory is compacted. */
#include "core.h"
#include "events.h"
#include "filter.h"
#include "probe.h"
#include "stack.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_tracing.h>

const volatile bool with_stacks = false;
const volatile __u32 mm_compaction_begin_arguments = 4;

/* Before there was one of them that says what is compacted, there were more. */
#define NEW_ARGUMENTS 4

struct event {
	boot_ns_t time;
	pid_t pid;
	thread_t tid;
	comm_t comm[16];
	int node;
	text_t zone[16];
	int order;
	bool sync;
	__u32 code;		/* enum compact_result */
	maybe_count_t min;
	maybe_count_t low;
	maybe_count_t high;
	maybe_count_t free;
	ns_t latency;
	stack_id_t stack;
};

EVENT_RING(events, event);
STACKS(stacks);

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

typedef struct {
	long counter;
} atomic_long_t;

enum zone_watermarks {
	WMARK_MIN,
	WMARK_LOW,
	WMARK_HIGH,
};

enum zone_stat_item {
	NR_FREE_PAGES,
};

struct zone {
	unsigned long _watermark[4];
	unsigned long watermark_boost;
	int node;
	const char *name;
	atomic_long_t vm_stat[10];
};

struct compact_control {
	struct zone *zone;
	int order;
};

#pragma clang attribute pop

struct compaction {
	__u64 start;
	struct zone *zone;
	int order;
	bool sync;
};

ENTRY_MAP(compactions, struct compaction);

/* The zone that a thread has looked at last: kernels before 6.0 do not say what they compact. */
ENTRY_MAP(looked_at, struct compaction);

SEC("tp_btf/mm_compaction_suitable")
int BPF_PROG(suitable__tp_btf, struct zone *zone, int order)
{
	struct compaction compaction = { .zone = zone, .order = order };

	if (mm_compaction_begin_arguments > NEW_ARGUMENTS && wanted_task(bpf_get_current_pid_tgid()))
		entry_keep(looked_at, &compaction);
	return 0;
}

SEC("tp_btf/mm_compaction_begin")
int begin__tp_btf(__u64 *ctx)
{
	struct compaction compaction = {}, *before;

	if (!wanted_task(bpf_get_current_pid_tgid()))
		return 0;
	if (mm_compaction_begin_arguments > NEW_ARGUMENTS) {
		before = entry_find(looked_at);
		compaction.sync = kept_apart(ctx[4]);
		compaction.order = before ? before->order : -1;
		compaction.zone = before ? before->zone : NULL;
	} else {
		struct compact_control *cc = (void *)ctx[0];

		compaction.sync = ctx[3];
		compaction.order = BPF_CORE_READ(cc, order);
		compaction.zone = BPF_CORE_READ(cc, zone);
	}
	compaction.start = bpf_ktime_get_ns();
	entry_keep(compactions, &compaction);
	return 0;
}

SEC("tp_btf/mm_compaction_end")
int end__tp_btf(__u64 *ctx)
{
	struct compaction *compaction = entry_find(compactions);
	__u64 id = bpf_get_current_pid_tgid(), boost;
	struct event *event;
	struct zone *zone;

	if (!compaction)
		return 0;
	event = event_reserve(events, event);
	if (!event)
		goto out;
	zone = compaction->zone;
	event_thread(event, id);
	event->order = compaction->order;
	event->sync = compaction->sync;
	if (mm_compaction_begin_arguments > NEW_ARGUMENTS)
		event->code = kept_apart(ctx[5]);
	else
		event->code = ctx[4];
	if (zone) {
		if (bpf_core_field_exists(zone->node))
			event->node = BPF_CORE_READ(zone, node);
		bpf_probe_read_kernel_str(event->zone, sizeof(event->zone), BPF_CORE_READ(zone, name));
		boost = BPF_CORE_READ(zone, watermark_boost);
		event->min = BPF_CORE_READ(zone, _watermark[WMARK_MIN]) + boost;
		event->low = BPF_CORE_READ(zone, _watermark[WMARK_LOW]) + boost;
		event->high = BPF_CORE_READ(zone, _watermark[WMARK_HIGH]) + boost;
		event->free = BPF_CORE_READ(zone, vm_stat[NR_FREE_PAGES].counter);
	}
	event->latency = bpf_ktime_get_ns() - compaction->start;
	event->stack = with_stacks ? kernel_stack(ctx, stacks) : NO_STACK;
	event_submit(event);
out:
	entry_forget(compactions);
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
