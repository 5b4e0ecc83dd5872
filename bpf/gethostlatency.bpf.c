// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* How long the C library takes to look up names of hosts. */
#include "filter.h"
#include "probe.h"
#include "text.h"

const volatile ns_t min_latency = 0;

struct event {
	EVENT_HEAD;
	ns_t latency;
	mark_t failed;
	mark_t truncated;	/* not the whole name */
	cgroup_id_t cgroup;
	text_t host[256];
};

EVENT_RING(events, event);

struct lookup {
	__u64 start;
	const char *host;
};

ENTRY_MAP(lookups, struct lookup);

SEC("uprobe")
int BPF_KPROBE(lookup_begins, const char *host)
{
	struct lookup lookup = { .host = host };

	if (!wanted_task(bpf_get_current_pid_tgid()))
		return 0;
	lookup.start = bpf_ktime_get_boot_ns();
	entry_keep(lookups, &lookup);
	return 0;
}

static __always_inline int lookup_ended(bool failed)
{
	struct lookup *lookup = entry_find(lookups);
	__u64 id = bpf_get_current_pid_tgid(), now = bpf_ktime_get_boot_ns();
	struct event *event;
	bool cut = false;

	if (!lookup)
		return 0;
	event = now - lookup->start < min_latency ? 0 : event_reserve(events, event);
	if (event) {
		event_head(event, id);
		event->latency = now - lookup->start;
		event->failed = failed;
		event->cgroup = bpf_get_current_cgroup_id();
		/* By now the function has read the name itself: at its entry it may not be in memory yet. */
		read_user_text(event->host, sizeof(event->host), lookup->host, &cut);
		event->truncated = cut;
		event_submit(event);
	}
	entry_forget(lookups);
	return 0;
}

SEC("uretprobe")
int BPF_KRETPROBE(address_lookup_ends, int error)
{
	return lookup_ended(error != 0);
}

SEC("uretprobe")
int BPF_KRETPROBE(name_lookup_ends, const void *entry)
{
	return lookup_ended(!entry);
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
