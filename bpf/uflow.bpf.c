// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* Calls of methods, one within the other. */
#include "events.h"
#include "methods.h"
#include "table.h"

/* What names have to begin with. */
const volatile char class_prefix[CLASS_MAX] = {};
const volatile char method_prefix[METHOD_MAX] = {};

struct event {
	boot_ns_t time;
	pid_t pid;
	thread_t tid;
	comm_t comm[16];
	cpu_t cpu;
	__u32 depth;		/* of the calls that were seen to begin and did not end */
	mark_t returns;
	METHOD_FIELDS;
};

EVENT_RING(events, event);

struct thread {
	thread_t tid;
};

struct position {
	__u64 depth;
};

/* Of threads that are no more nobody tells. */
TABLE_IN(positions, BPF_MAP_TYPE_LRU_HASH, struct thread, struct position, 65536);

static __always_inline bool begins_with(const char *text, const volatile char *prefix, int size)
{
	for (int i = 0; i < size && prefix[i]; i++) {
		if (text[i] != prefix[i])
			return false;
	}
	return true;
}

static __always_inline void show(__u64 id, const struct method *method, __u32 depth, bool returns)
{
	struct event *event;

	if (!begins_with(method->class, class_prefix, CLASS_MAX) ||
	    !begins_with(method->method, method_prefix, METHOD_MAX))
		return;
	event = event_reserve(events, event);
	if (!event)
		return;
	event_thread(event, id);
	event->cpu = bpf_get_smp_processor_id();
	event->depth = depth;
	event->returns = returns;
	copy_method(event, method);
	event_submit(event);
}

static __always_inline struct position *position_of(__u64 id)
{
	struct thread thread = { .tid = id };

	return table_row(positions, &thread);
}

static __always_inline void enters(__u64 id, const struct method *method)
{
	struct position *position = position_of(id);

	if (position)
		show(id, method, position->depth++, false);
}

static __always_inline void leaves(__u64 id, const struct method *method)
{
	struct position *position = position_of(id);

	if (!position)
		return;
	/* It may have begun before the tracing did. */
	if (position->depth)
		position->depth--;
	show(id, method, position->depth, true);
}

METHODS(enters, leaves)

char LICENSE[] SEC("license") = "Dual BSD/GPL";
