// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* New threads, and the functions that they begin with. */
#include "events.h"
#include "new-threads.h"

const volatile bool failed_only = false;

struct event {
	EVENT_HEAD;
	maybe_pid_t new_tid;
	errno_t error;
	maybe_addr_t address;
	cgroup_id_t cgroup;
};

EVENT_RING(events, event);

static __always_inline void show(__u64 id, thread_t new_tid, __u64 start, int error)
{
	struct event *event;

	if (failed_only && !error)
		return;
	event = event_reserve(events, event);
	if (!event)
		return;
	event_head(event, id);
	event->new_tid = new_tid;
	event->error = error;
	event->address = start;
	event->cgroup = bpf_get_current_cgroup_id();
	event_submit(event);
}

NEW_THREADS(show)

char LICENSE[] SEC("license") = "Dual BSD/GPL";
