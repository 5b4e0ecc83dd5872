// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* Queries of databases that take long. */
#include "core.h"
#include "events.h"
#include "queries.h"

const volatile __u64 min_latency = 1000000;

struct event {
	boot_ns_t time;
	pid_t pid;
	thread_t tid;
	comm_t comm[16];
	cgroup_id_t cgroup;
	ns_t latency;
	mark_t failed;
	text_t query[QUERY_MAX];
};

EVENT_RING(events, event);

static __always_inline int query_done(struct query *query, __u64 latency, bool failed)
{
	__u64 id = bpf_get_current_pid_tgid();
	struct event *event;

	if (latency < min_latency)
		return 0;
	event = event_reserve(events, event);
	if (!event)
		return 0;
	event_thread(event, id);
	event->cgroup = bpf_get_current_cgroup_id();
	event->latency = latency;
	event->failed = failed;
	bpf_probe_read_kernel_str(event->query, sizeof(event->query), query->text);
	event_submit(event);
	return 0;
}

QUERIES(query_done)

char LICENSE[] SEC("license") = "Dual BSD/GPL";
