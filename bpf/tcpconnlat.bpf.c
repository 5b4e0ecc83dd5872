// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* How long TCP connections take to be made: from connect(2) to the other side's answer. */
#include "events.h"
#include "owner.h"
#include "tcp.h"

const volatile ns_t min_latency = 0;

struct event {
	EVENT_HEAD;
	TCP_ENDS;
	ns_t latency;
	errno_t error;
	mark_t abandoned;	/* closed by the process before there was an answer */
	cgroup_id_t cgroup;
};

EVENT_RING(events, event);

/* Rows without their end, by socket. */
COUNTED_MAP(connecting, BPF_MAP_TYPE_HASH, __u64, struct event, MAX_SOCKETS);

static __always_inline int begin(const struct sock *sk)
{
	__u64 id = bpf_get_current_pid_tgid(), key = (__u64)sk;
	struct event event = {};

	if (!wanted_task(id) || !tcp_ends(&event, sk))
		return 0;
	event.pid = id >> 32;
	event.tid = id;
	event.uid = bpf_get_current_uid_gid();
	bpf_get_current_comm(event.comm, sizeof(event.comm));
	event.cgroup = bpf_get_current_cgroup_id();
	event.time = bpf_ktime_get_boot_ns();
	if (bpf_map_update_elem(&connecting, &key, &event, BPF_ANY))
		COUNT_DROPPED(connecting);
	return 0;
}

static __always_inline int end(const struct sock *sk, int state)
{
	__u64 key = (__u64)sk, now = bpf_ktime_get_boot_ns();
	struct event *event = bpf_map_lookup_elem(&connecting, &key);

	if (!event)
		return 0;
	event->latency = now - event->time;
	event->time = now;
	event->lport = tcp_local_port(sk);
	if (state == CLOSE) {
		event->error = BPF_CORE_READ((const struct sock___tcp *)sk, sk_err);
		event->abandoned = !event->error;
	}
	/* Without a port no SYN was sent: connect(2) fails right here. */
	if (event->lport && event->latency >= min_latency)
		event_output(events, event, sizeof(*event));
	bpf_map_delete_elem(&connecting, &key);
	return 0;
}

static __always_inline int state_changes(const struct sock *sk, int from, int to)
{
	if (to == SYN_SENT)
		return begin(sk);
	if (from == SYN_SENT)
		return end(sk, to);
	return 0;
}

AT_TCP_STATE(state_changes)

char LICENSE[] SEC("license") = "Dual BSD/GPL";
