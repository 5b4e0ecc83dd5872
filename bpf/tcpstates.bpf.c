// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* Changes of state of TCP sockets, and the time spent in the state before. */
#include "events.h"
#include "owner.h"
#include "syscall-exit.h"
#include "tcp.h"

const volatile port_t filter_lports[FILTER_PORTS] = {};
const volatile port_t filter_dports[FILTER_PORTS] = {};

struct event {
	boot_ns_t time;
	addr_t skaddr;
	maybe_pid_t pid;
	maybe_comm_t comm[16];
	TCP_ENDS;
	enum tcp_state oldstate;
	enum tcp_state newstate;
	maybe_ns_t duration;		/* in the old state, if its beginning was seen */
};

EVENT_RING(events, event);

struct seen {
	__u64 since;
	struct owner owner;
};

COUNTED_MAP(sockets, BPF_MAP_TYPE_HASH, __u64, struct seen, MAX_SOCKETS);

static __always_inline int state_changes(const struct sock *sk, int from, int to)
{
	struct seen seen = {}, *before;
	__u64 key = (__u64)sk, now;
	struct event *event;

	now = bpf_ktime_get_boot_ns();
	before = bpf_map_lookup_elem(&sockets, &key);
	if (before && !is_new_socket(from, to))
		seen = *before;
	if (made_by_owner(from, to))
		owner_is_current(&seen.owner);

	event = event_reserve(events, event);
	if (event) {
		event->time = now;
		event->skaddr = key;
		copy_owner(event, &seen.owner);
		event->oldstate = from;
		event->newstate = to;
		event->duration = seen.since ? now - seen.since : 0;
		if (tcp_ends(event, sk) && wanted_owner(&seen.owner) &&
		    wanted_port(filter_lports, event->lport) && wanted_port(filter_dports, event->dport))
			event_submit(event);
		else
			event_discard(event);
	}

	if (to == CLOSE) {
		bpf_map_delete_elem(&sockets, &key);
		return 0;
	}
	seen.since = now;
	if (bpf_map_update_elem(&sockets, &key, &seen, BPF_ANY))
		COUNT_DROPPED(sockets);
	return 0;
}

AT_TCP_STATE(state_changes)

static __always_inline int accepted(struct syscall_trace_exit *ctx)
{
	__u64 key = (__u64)accepted_socket(syscall_result(ctx));
	struct seen *seen = bpf_map_lookup_elem(&sockets, &key);

	if (seen)
		owner_is_current(&seen->owner);
	return 0;
}

AT_ACCEPT(accepted)

char LICENSE[] SEC("license") = "Dual BSD/GPL";
