// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* Names that are looked for in the cache of directory entries. */
#include "dcache.h"
#include "events.h"

#define NAME_MAX 255

const volatile bool all_lookups = false;

struct event {
	EVENT_HEAD;
	bool found;
	cgroup_id_t cgroup;
	text_t name[NAME_MAX + 1];
};

EVENT_RING(events, event);

static __always_inline int looked_up(struct nameidata *nd, bool found)
{
	__u64 id = bpf_get_current_pid_tgid();
	struct event *event;
	__u32 length;

	if (found && !all_lookups)
		return 0;
	event = event_reserve(events, event);
	if (!event)
		return 0;
	event_head(event, id);
	event->found = found;
	event->cgroup = bpf_get_current_cgroup_id();
	/* The rest of the path is behind the name. */
	length = BPF_CORE_READ(nd, last.len);
	if (length > NAME_MAX)
		length = NAME_MAX;
	bpf_probe_read_kernel(event->name, length, BPF_CORE_READ(nd, last.name));
	event_submit(event);
	return 0;
}

DCACHE_PROGRAMS

char LICENSE[] SEC("license") = "Dual BSD/GPL";
