// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* Has programs use MPTCP where they ask for TCP. */
#include "events.h"
#include "filter.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#define SOCK_TYPE_MASK 0xf
#define SOCK_STREAM 1
#define IPPROTO_MPTCP 262

const volatile bool only_targets = false;

struct event {
	EVENT_HEAD;
	ip_version_t ip;
	cgroup_id_t cgroup;
};

EVENT_RING(events, event);

struct target {
	comm_t comm[16];
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 64);
	__type(key, struct target);
	__type(value, __u8);
} targets SEC(".maps");

/* ddba122428a7 ("net: Introduce update_socket_protocol()", 6.6): what it returns is the protocol of the socket. */
SEC("fmod_ret/update_socket_protocol")
int BPF_PROG(protocol__fmod_ret, int family, int type, int protocol)
{
	__u64 id = bpf_get_current_pid_tgid();
	struct target target = {};
	struct event *event;

	if ((family != AF_INET && family != AF_INET6) || (type & SOCK_TYPE_MASK) != SOCK_STREAM ||
	    (protocol && protocol != IPPROTO_TCP) || !wanted_task(id))
		return protocol;
	bpf_get_current_comm(target.comm, sizeof(target.comm));
	if (only_targets && !bpf_map_lookup_elem(&targets, &target))
		return protocol;
	event = event_reserve(events, event);
	if (event) {
		event_head(event, id);
		event->ip = family == AF_INET ? 4 : 6;
		event->cgroup = bpf_get_current_cgroup_id();
		event_submit(event);
	}
	return IPPROTO_MPTCP;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
