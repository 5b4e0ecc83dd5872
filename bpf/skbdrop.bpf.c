// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* Packets of any protocol that the kernel drops: why, and by which function. */
#include "events.h"
#include "skb.h"
#include "stack.h"

const volatile __u8 filter_family = 0;
const volatile text_t filter_interface[16] = {};
const volatile bool kernel_stacks = false;

struct event {
	boot_ns_t time;
	addr_t location;
	__u32 code;
	__u16 ethertype;
	ip_version_t ip;
	__u8 protocol;
	maybe_ip_t saddr[16];
	port_t sport;
	maybe_ip_t daddr[16];
	port_t dport;
	tcp_flags_t flags;
	bytes_t length;
	namespace_t netns;
	maybe_text_t interface[16];
	stack_id_t stack;
};

EVENT_RING(events, event);
STACKS(stacks);

SEC("tp_btf/kfree_skb")
int dropped__tp_btf(__u64 *ctx)
{
	const struct sk_buff___packet *skb = (const void *)dropped_packet(ctx);
	__u16 ethertype = packet_ethertype(dropped_packet(ctx));
	struct packet packet = {};
	char interface[16] = {};
	struct net_device *dev;
	const struct sock *sk;
	struct event *event;
	namespace_t netns;

	if (!is_drop(ctx))
		return 0;
	packet_read(&packet, dropped_packet(ctx), ethertype);
	if (filter_family && packet.ip != filter_family)
		return 0;
	/* Behind the header of IP, sockets use the place of the device for themselves. */
	dev = BPF_CORE_READ(skb, dev);
	if (dev)
		bpf_probe_read_kernel_str(interface, sizeof(interface), dev->name);
	if (!wanted_interface(filter_interface, interface))
		return 0;
	sk = drop_socket(ctx);
	netns = drop_netns(is_inet(sk) ? sk : NULL, dropped_packet(ctx));
	if (!wanted_netns(netns))
		return 0;
	event = event_reserve(events, event);
	if (!event)
		return 0;
	event->time = bpf_ktime_get_boot_ns();
	event->location = drop_location(ctx);
	event->code = drop_reason(ctx);
	event->ethertype = ethertype;
	packet_fields(event, &packet);
	event->protocol = packet.protocol;
	event->length = BPF_CORE_READ(skb, len);
	event->netns = netns;
	__builtin_memcpy(event->interface, interface, sizeof(interface));
	event->stack = kernel_stacks ? kernel_stack(ctx, stacks) : NO_STACK;
	event_submit(event);
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
