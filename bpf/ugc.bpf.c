// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* Garbage collections of languages' runtimes. */
#include "core.h"
#include "events.h"
#include "filter.h"
#include "table.h"
#include "usdt.h"

#define NAME_MAX 32

const volatile __u64 min_latency = 0;

enum phase {
	gc,
	generation,
	mark,
	sweep,
	pool,
};

struct collection {
	thread_t tid;
	enum phase phase;
	char pool[NAME_MAX];	/* of which several are under way at once */
};

struct beginning {
	__u64 start;
	__u64 value;
};

struct event {
	boot_ns_t time;
	pid_t pid;
	thread_t tid;
	comm_t comm[16];
	ns_t latency;
	enum phase phase;
	__s64 began_with;	/* what the runtime said: generation, whether it is a full one, bytes used */
	__s64 ended_with;	/* objects collected, bytes used */
	bytes_t pool_max;
	maybe_text_t manager[NAME_MAX];
	maybe_text_t pool[NAME_MAX];
};

EVENT_RING(events, event);
TABLE(beginnings, struct collection, struct beginning, 1024);

static __always_inline int begins(struct collection *collection, __s64 value)
{
	struct beginning *beginning;

	collection->tid = bpf_get_current_pid_tgid();
	if (!wanted_task(bpf_get_current_pid_tgid()))
		return 0;
	beginning = table_row(beginnings, collection);
	if (beginning) {
		beginning->value = value;
		beginning->start = bpf_ktime_get_ns();
	}
	return 0;
}

static __always_inline int ends(struct pt_regs *ctx, struct collection *collection, __s64 value, __u64 max)
{
	__u64 id = bpf_get_current_pid_tgid(), latency, before;
	struct beginning *beginning;
	struct event *event;

	collection->tid = id;
	beginning = bpf_map_lookup_elem(&beginnings, collection);
	if (!beginning)
		return 0;
	latency = bpf_ktime_get_ns() - beginning->start;
	before = beginning->value;
	bpf_map_delete_elem(&beginnings, collection);
	if (latency < min_latency)
		return 0;
	event = event_reserve(events, event);
	if (!event)
		return 0;
	event_thread(event, id);
	event->latency = latency;
	event->phase = collection->phase;
	event->began_with = before;
	event->ended_with = value;
	event->pool_max = max;
	if (collection->phase == pool) {
		usdt_counted_text(event->manager, NAME_MAX, ctx, 0);
		__builtin_memcpy(event->pool, collection->pool, sizeof(event->pool));
	}
	event_submit(event);
	return 0;
}

#define PHASE(name, value_at_begin, value_at_end)			\
SEC("usdt")								\
int name##_begins(struct pt_regs *ctx)					\
{									\
	struct collection collection = { .phase = name };		\
									\
	return begins(&collection, value_at_begin);			\
}									\
									\
SEC("usdt")								\
int name##_ends(struct pt_regs *ctx)					\
{									\
	struct collection collection = { .phase = name };		\
									\
	return ends(ctx, &collection, value_at_end, 0);			\
}

PHASE(gc, usdt_number(ctx, 0), usdt_number(ctx, 0))
PHASE(generation, usdt_number(ctx, 0), usdt_number(ctx, 0))
PHASE(mark, 0, 0)
PHASE(sweep, 0, 0)

SEC("usdt")
int pool_begins(struct pt_regs *ctx)
{
	struct collection collection = { .phase = pool };

	usdt_counted_text(collection.pool, NAME_MAX, ctx, 2);
	return begins(&collection, usdt_number(ctx, 5));
}

SEC("usdt")
int pool_ends(struct pt_regs *ctx)
{
	struct collection collection = { .phase = pool };

	usdt_counted_text(collection.pool, NAME_MAX, ctx, 2);
	return ends(ctx, &collection, usdt_number(ctx, 5), usdt_number(ctx, 7));
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
