// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* How long data waits in a TCP socket until the process reads it. */
#include "events.h"
#include "filter.h"
#include "tcp.h"
#include <bpf/bpf_tracing.h>

#define FLAG_FIN 1

const volatile port_t filter_lports[FILTER_PORTS] = {};
const volatile port_t filter_dports[FILTER_PORTS] = {};
const volatile ns_t min_latency = 0;

struct event {
	EVENT_HEAD;
	TCP_ENDS;
	ns_t latency;
	cgroup_id_t cgroup;
};

EVENT_RING(events, event);

/* When the oldest data came that nobody has read, by socket. */
COUNTED_MAP(arrivals, BPF_MAP_TYPE_HASH, __u64, __u64, MAX_SOCKETS);

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct trace_event_raw_tcp_event_sk {
	const void *skaddr;
};

#pragma clang attribute pop

/* At the beginning of tcp_rcv_established(). */
SEC("tp_btf/tcp_probe")
int BPF_PROG(came__tp_btf, struct sock *sk, struct sk_buff *skb)
{
	const struct tcp_skb_cb *cb = (const void *)&skb->cb;
	__u32 length = BPF_CORE_READ(cb, end_seq) - BPF_CORE_READ(cb, seq);
	__u64 key = (__u64)sk, now;
	__u8 flags = 0;

	bpf_probe_read_kernel(&flags, sizeof(flags), &cb->tcp_flags);
	/* A FIN takes a number as data does. */
	if (length <= (flags & FLAG_FIN))
		return 0;
	if (!wanted_port(filter_lports, tcp_local_port(sk)) || !wanted_port(filter_dports, sock_remote_port(sk)))
		return 0;
	now = bpf_ktime_get_boot_ns();
	/* What came first waits longest. */
	if (bpf_map_lookup_elem(&arrivals, &key))
		return 0;
	if (bpf_map_update_elem(&arrivals, &key, &now, BPF_NOEXIST))
		COUNT_DROPPED(arrivals);
	return 0;
}

/* The process has read something. */
SEC("tp/tcp/tcp_rcv_space_adjust")
int read__tp(struct trace_event_raw_tcp_event_sk *ctx)
{
	__u64 key = (__u64)ctx->skaddr, now = bpf_ktime_get_boot_ns(), id = bpf_get_current_pid_tgid(), latency;
	__u64 *came = bpf_map_lookup_elem(&arrivals, &key);
	const struct sock *sk = ctx->skaddr;
	struct event *event;

	if (!came)
		return 0;
	latency = now - *came;
	bpf_map_delete_elem(&arrivals, &key);
	if (latency < min_latency || !wanted_task(id))
		return 0;
	event = tcp_event_reserve(events, event, sk);
	if (!event)
		return 0;
	event_head(event, id);
	event->latency = latency;
	event->cgroup = bpf_get_current_cgroup_id();
	event_submit(event);
	return 0;
}

SEC("tp/tcp/tcp_destroy_sock")
int destroyed__tp(struct trace_event_raw_tcp_event_sk *ctx)
{
	__u64 key = (__u64)ctx->skaddr;

	bpf_map_delete_elem(&arrivals, &key);
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
