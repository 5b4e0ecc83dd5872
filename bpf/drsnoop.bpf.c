// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* Tasks that have to find memory themselves before they get some. */
#include "core.h"
#include "events.h"
#include "reclaim.h"
#include <bpf/bpf_helpers.h>

struct event {
	EVENT_HEAD;
	ns_t latency;
	count_t pages;
	int order;
	mark_t memcg;
	cgroup_id_t cgroup;
};

EVENT_RING(events, event);

static __always_inline void reclaim_done(const struct reclaim *reclaim, __u64 latency, __u64 pages)
{
	struct event *event = event_reserve(events, event);
	__u64 id = bpf_get_current_pid_tgid();

	if (!event)
		return;
	event_head(event, id);
	event->latency = latency;
	event->pages = pages;
	event->order = reclaim->order;
	event->memcg = reclaim->memcg;
	event->cgroup = bpf_get_current_cgroup_id();
	event_submit(event);
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
