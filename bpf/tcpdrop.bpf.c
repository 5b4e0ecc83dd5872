// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* TCP segments that the kernel drops: why, and where. */
#include "events.h"
#include "skb.h"
#include "stack.h"
#include "tcp.h"

struct event {
	boot_ns_t time;
	ip_version_t ip;
	ip_t saddr[16];		/* as in the packet: who sent it */
	port_t sport;
	ip_t daddr[16];
	port_t dport;
	tcp_state_t state;
	tcp_flags_t flags;
	__u32 code;
	namespace_t netns;
	stack_id_t stack;
};

EVENT_RING(events, event);
STACKS(stacks);

/* A segment on its way down has no header yet, but a socket. */
static __always_inline void from_socket(struct packet *packet, const struct sock *sk, const struct sk_buff *skb)
{
	const __u8 *flags = (const __u8 *)&((const struct tcp_skb_cb *)&skb->cb)->tcp_flags;

	if (BPF_CORE_READ(sk, sk_protocol) != IPPROTO_TCP)
		return;
	packet->protocol = IPPROTO_TCP;
	packet->ip = sock_addresses(sk, packet->saddr, packet->daddr);
	packet->sport = tcp_local_port(sk);
	packet->dport = sock_remote_port(sk);
	bpf_probe_read_kernel(&packet->flags, 1, flags);
}

SEC("tp_btf/kfree_skb")
int dropped__tp_btf(__u64 *ctx)
{
	const struct sk_buff *skb = dropped_packet(ctx);
	struct packet packet = {};
	const struct sock *sk;
	struct event *event;
	namespace_t netns;

	if (!is_drop(ctx))
		return 0;
	packet_read(&packet, skb, packet_ethertype(skb));
	sk = drop_socket(ctx);
	if (!is_inet(sk))
		sk = NULL;
	if (!packet.ip && sk)
		from_socket(&packet, sk, skb);
	if (packet.protocol != IPPROTO_TCP || (filter_family && packet.ip != filter_family))
		return 0;
	netns = drop_netns(sk, skb);
	if (!wanted_netns(netns))
		return 0;
	event = event_reserve(events, event);
	if (!event)
		return 0;
	event->time = bpf_ktime_get_boot_ns();
	packet_fields(event, &packet);
	event->state = sk ? tcp_state(sk) : 0;
	event->code = drop_reason(ctx);
	event->netns = netns;
	event->stack = kernel_stack(ctx, stacks);
	event_submit(event);
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
