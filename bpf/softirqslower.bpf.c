// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* Soft interrupts that wait long until they are served, or take long. */
#include "core.h"
#include "cpu-filter.h"
#include "events.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#define VECTORS 16

const volatile us_t min_time = 10000;

enum stage {
	wait,
	run,
};

struct event {
	boot_ns_t time;
	enum stage stage;
	__u32 vector;
	ns_t latency;
	cpu_t cpu;
	pid_t pid;
	thread_t tid;
	comm_t comm[16];
};

EVENT_RING(events, event);

/* Since when each vector of a CPU waits and runs. */
struct times {
	__u64 raised;
	__u64 entered;
};

SCRATCH(vectors, struct times, VECTORS);

static __always_inline void report(enum stage stage, __u32 vector, __u64 time)
{
	__u64 id = bpf_get_current_pid_tgid();
	struct event *event;

	if (time / 1000 < min_time)
		return;
	event = event_reserve(events, event);
	if (!event)
		return;
	event_thread(event, id);
	event->stage = stage;
	event->vector = vector;
	event->latency = time;
	event->cpu = bpf_get_smp_processor_id();
	event_submit(event);
}

SEC("tp_btf/softirq_raise")
int BPF_PROG(softirq_raise__tp_btf, unsigned int vector)
{
	struct times *times = scratch(vectors, vector);

	/* One that is raised already waits since the first time. */
	if (times && !times->raised && wanted_cpu())
		times->raised = bpf_ktime_get_ns();
	return 0;
}

SEC("tp_btf/softirq_entry")
int BPF_PROG(softirq_entry__tp_btf, unsigned int vector)
{
	struct times *times = scratch(vectors, vector);

	if (!times || !wanted_cpu())
		return 0;
	times->entered = bpf_ktime_get_ns();
	/* Nothing is known of one that was raised before the tracing began. */
	if (times->raised)
		report(wait, vector, times->entered - times->raised);
	/* It may be raised again while it runs. */
	times->raised = 0;
	return 0;
}

SEC("tp_btf/softirq_exit")
int BPF_PROG(softirq_exit__tp_btf, unsigned int vector)
{
	struct times *times = scratch(vectors, vector);

	if (!times || !times->entered)
		return 0;
	report(run, vector, bpf_ktime_get_ns() - times->entered);
	times->entered = 0;
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
