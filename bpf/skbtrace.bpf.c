// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* The ways of packets through the kernel. */
#include "events.h"
#include "probe-points.h"
#include "skb.h"
#include "stack.h"

const volatile __u8 filter_family = 0;
const volatile __u8 filter_protocol = 0;
const volatile ip_t filter_host[16] = {};	/* of either end; all zeros: off */
const volatile port_t filter_port = 0;		/* of either end */
const volatile text_t filter_interface[16] = {};
const volatile __u32 filter_mark = 0;
const volatile bool follow = false;
const volatile bool kernel_stacks = false;

/* Where a packet was met: a function, or one of the tracepoints. */
enum place {
	FUNCTION,
	NET_DEV_QUEUE,
	QDISC_DEQUEUE,
	NET_DEV_START_XMIT,
	NETIF_RX,
	NETIF_RECEIVE_SKB,
	SKB_COPY_DATAGRAM_IOVEC,
	KFREE_SKB,
	CONSUME_SKB,
};

struct event {
	boot_ns_t time;
	addr_t skb;
	cpu_t cpu;
	pid_t pid;
	comm_t comm[16];
	namespace_t netns;
	__u32 mark;
	maybe_text_t interface[16];
	__u32 mtu;
	ip_version_t ip;
	__u8 protocol;
	bytes_t length;
	maybe_ip_t saddr[16];
	port_t sport;
	maybe_ip_t daddr[16];
	port_t dport;
	tcp_flags_t flags;
	enum place place;
	addr_t location;	/* of the function, or what freed the packet */
	__u32 code;
	stack_id_t stack;
};

EVENT_RING(events, event);
STACKS(stacks);

/* Packets that were wanted once. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 16384);
	__type(key, __u64);
	__type(value, bool);
} followed SEC(".maps");

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct sk_buff___traced {
	unsigned char *head;
	unsigned char *data;
	__u16 network_header;
	__be16 protocol;
	__u32 mark;
	unsigned int len;
	struct sock *sk;
	struct net_device *dev;
};

struct net_device___mtu {
	unsigned int mtu;
};

/* Of the record only what tells which arguments there are. */
struct trace_event_raw_consume_skb {
	const void *location;
};

#pragma clang attribute pop

/* What is known of a packet: its headers, or before it has any, its socket's addresses. */
static __always_inline void look_at(struct packet *packet, const struct sk_buff___traced *skb, const struct sock *sk)
{
	const void *head = BPF_CORE_READ(skb, head);
	__u16 offset = BPF_CORE_READ(skb, network_header);
	__u16 ethertype = bpf_ntohs(BPF_CORE_READ(skb, protocol));
	/* Drivers have not said yet where the header of IP is: the data begins with it. */
	const void *at = offset ? head + offset : BPF_CORE_READ(skb, data);

	if (ethertype == ETH_P_IP)
		packet_v4(packet, at);
	else if (ethertype == ETH_P_IPV6)
		packet_v6(packet, at);
	if (packet->ip || !sk)
		return;
	packet->ip = sock_addresses(sk, packet->saddr, packet->daddr);
	packet->sport = sock_local_port(sk);
	packet->dport = sock_remote_port(sk);
}

static __always_inline bool wanted_host(const struct packet *packet)
{
	__u8 any = 0, from = 0, to = 0;

	for (int i = 0; i < 16; i++) {
		any |= filter_host[i];
		from |= filter_host[i] ^ packet->saddr[i];
		to |= filter_host[i] ^ packet->daddr[i];
	}
	return !any || (packet->ip && (!from || !to));
}

static __always_inline bool wanted_packet(const struct packet *packet, const struct sk_buff___traced *skb)
{
	if (filter_family && packet->ip != filter_family)
		return false;
	if (filter_protocol && packet->protocol != filter_protocol)
		return false;
	if (filter_port && packet->sport != filter_port && packet->dport != filter_port)
		return false;
	if (filter_mark && BPF_CORE_READ(skb, mark) != filter_mark)
		return false;
	return wanted_host(packet);
}

static __always_inline int met_at(void *ctx, enum place place, __u64 location, const void *buffer, __u32 code)
{
	const struct sk_buff___traced *skb = buffer;
	__u64 key = (__u64)skb, id = bpf_get_current_pid_tgid();
	struct packet packet = {};
	char interface[16] = {};
	const struct sock *sk;
	struct net_device *dev;
	struct event *event;
	bool known, yes = true;
	namespace_t netns;

	if (!skb)
		return 0;
	sk = BPF_CORE_READ(skb, sk);
	if (!is_inet(sk))
		sk = NULL;
	dev = BPF_CORE_READ(skb, dev);
	/* In a socket's queue the place of the device is used for something else: there is no name then. */
	if (dev)
		bpf_probe_read_kernel_str(interface, sizeof(interface), dev->name);
	look_at(&packet, skb, sk);
	netns = drop_netns(sk, buffer);
	known = follow && bpf_map_lookup_elem(&followed, &key);
	if (!known && (!wanted_packet(&packet, skb) || !wanted_netns(netns) ||
		       !wanted_interface(filter_interface, interface)))
		return 0;
	if (follow && !known)
		bpf_map_update_elem(&followed, &key, &yes, BPF_ANY);
	if (known && place >= KFREE_SKB)
		bpf_map_delete_elem(&followed, &key);
	event = event_reserve(events, event);
	if (!event)
		return 0;
	event->time = bpf_ktime_get_boot_ns();
	event->skb = key;
	event->cpu = bpf_get_smp_processor_id();
	event->pid = id >> 32;
	bpf_get_current_comm(event->comm, sizeof(event->comm));
	event->netns = netns;
	event->mark = BPF_CORE_READ(skb, mark);
	__builtin_memcpy(event->interface, interface, sizeof(interface));
	event->mtu = BPF_CORE_READ((struct net_device___mtu *)dev, mtu);
	packet_fields(event, &packet);
	event->protocol = packet.protocol;
	event->length = BPF_CORE_READ(skb, len);
	event->place = place;
	event->location = location;
	event->code = code;
	event->stack = kernel_stacks ? kernel_stack(ctx, stacks) : NO_STACK;
	event_submit(event);
	return 0;
}

static __always_inline int met(void *ctx, __u64 location, const void *skb)
{
	return met_at(ctx, FUNCTION, location, skb, 0);
}

ARGUMENT_POINTS(met)

/* Many of these are reached in interrupts: see skb.h. */
#define AT_TRACEPOINT(event, packet, place)				\
SEC("tp_btf/" #event)							\
int event##__tp_btf(__u64 *ctx)						\
{									\
	return met_at(ctx, place, 0, packet, 0);			\
}

AT_TRACEPOINT(net_dev_queue, (const void *)ctx[0], NET_DEV_QUEUE)
/* An empty queue is asked as well. */
AT_TRACEPOINT(qdisc_dequeue, maybe_null(&ctx[3]), QDISC_DEQUEUE)
AT_TRACEPOINT(net_dev_start_xmit, (const void *)ctx[0], NET_DEV_START_XMIT)
AT_TRACEPOINT(netif_rx, (const void *)ctx[0], NETIF_RX)
AT_TRACEPOINT(netif_receive_skb, (const void *)ctx[0], NETIF_RECEIVE_SKB)
AT_TRACEPOINT(skb_copy_datagram_iovec, (const void *)ctx[0], SKB_COPY_DATAGRAM_IOVEC)

SEC("tp_btf/kfree_skb")
int kfree_skb__tp_btf(__u64 *ctx)
{
	return met_at(ctx, KFREE_SKB, drop_location(ctx), dropped_packet(ctx), drop_reason(ctx));
}

SEC("tp_btf/consume_skb")
int consume_skb__tp_btf(__u64 *ctx)
{
	/* dd1b527831a3 ("net: add location to trace_consume_skb()", 6.3) */
	__u64 location = bpf_core_field_exists(struct trace_event_raw_consume_skb, location) ? ctx[1] : 0;

	return met_at(ctx, CONSUME_SKB, location, (const void *)ctx[0], 0);
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
