// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* How long TCP connections take to be made: from connect(2) to the other side's answer. */
#include "events.h"
#include "owner.h"
#include "tcp.h"

const volatile ns_t min_latency = 0;

struct event {
	boot_ns_t time;
	pid_t pid;
	thread_t tid;
	uid_t uid;
	comm_t comm[16];
	__u8 ip;
	ip_t saddr[16];
	port_t lport;
	ip_t daddr[16];
	port_t dport;
	ns_t latency;
	errno_t error;
	mark_t abandoned;	/* closed by the process before there was an answer */
	cgroup_id_t cgroup;
};

EVENT_RING(events, event);

/* Rows without their end, by socket. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, MAX_SOCKETS);
	__type(key, __u64);
	__type(value, struct event);
} connecting SEC(".maps");
DROP_COUNTER(connecting);

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

SEC("tp/sock/inet_sock_set_state")
int sock_state__tp(struct trace_event_raw_inet_sock_set_state *ctx)
{
	if (ctx->protocol != IPPROTO_TCP)
		return 0;
	if (ctx->newstate == SYN_SENT)
		return begin(ctx->skaddr);
	if (ctx->oldstate == SYN_SENT)
		return end(ctx->skaddr, ctx->newstate);
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
