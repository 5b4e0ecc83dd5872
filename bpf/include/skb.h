/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* Packets: what their headers say, and where they were dropped. */
#ifndef KSCOPE_SKB_H
#define KSCOPE_SKB_H

#include "compat.h"
#include "core.h"
#include "ip.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_endian.h>

#define ETH_P_IP 0x0800
#define ETH_P_IPV6 0x86dd

#define IPPROTO_UDP 17
#define IPV6_HOP_BY_HOP 0
#define IPV6_ROUTING 43
#define IPV6_FRAGMENT 44
#define IPV6_OPTIONS 60

/* Network namespace by inode; 0: off. */
const volatile __u32 filter_netns = 0;
/* Whether packets without a reason are wanted, on kernels that have reasons. */
const volatile bool with_unspecified = false;

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct sk_buff;

struct net {
	struct ns_common ns;
};

typedef struct {
	struct net *net;
} possible_net_t;

struct net_device {
	char name[16];
	possible_net_t nd_net;
};

struct sock_common___net {
	unsigned char skc_state;
	possible_net_t skc_net;
};

struct sock___net {
	struct sock_common___net __sk_common;
};

struct sk_buff___packet {
	unsigned char *head;
	__u16 network_header;
	__be16 protocol;
	unsigned int len;
	struct sock *sk;
	struct net_device *dev;
};

enum skb_drop_reason {
	SKB_DROP_REASON_NOT_SPECIFIED = 2,
	SKB_CONSUMED = 1,
	SKB_DROP_REASON_TCP_LISTEN_OVERFLOW = 3,
};

/* Of the record only what tells which arguments there are. */
struct trace_event_raw_kfree_skb {
	struct sock *rx_sk;
	enum skb_drop_reason reason;
};

#pragma clang attribute pop

/* What the headers say; ip is 0 where there are none (yet). Ports are those of TCP and UDP. */
struct packet {
	ip_version_t ip;
	__u8 protocol;
	tcp_flags_t flags;
	ip_t saddr[16];
	port_t sport;
	ip_t daddr[16];
	port_t dport;
};

/* What events have of it. */
#define packet_fields(event, packet)					\
do {									\
	(event)->ip = (packet)->ip;					\
	(event)->flags = (packet)->flags;				\
	__builtin_memcpy((event)->saddr, (packet)->saddr, 16);		\
	(event)->sport = (packet)->sport;				\
	__builtin_memcpy((event)->daddr, (packet)->daddr, 16);		\
	(event)->dport = (packet)->dport;				\
} while (0)

static __always_inline void packet_ports(struct packet *packet, const void *at)
{
	__be16 ports[2] = {};

	if (packet->protocol != IPPROTO_TCP && packet->protocol != IPPROTO_UDP)
		return;
	bpf_probe_read_kernel(ports, sizeof(ports), at);
	packet->sport = bpf_ntohs(ports[0]);
	packet->dport = bpf_ntohs(ports[1]);
	if (packet->protocol == IPPROTO_TCP)
		bpf_probe_read_kernel(&packet->flags, 1, at + 13);
}

static __always_inline void packet_v4(struct packet *packet, const void *at)
{
	__u8 header[20] = {};

	if (bpf_probe_read_kernel(header, sizeof(header), at) || header[0] >> 4 != 4)
		return;
	packet->ip = 4;
	packet->protocol = header[9];
	ip_from_v4(packet->saddr, *(__be32 *)(header + 12));
	ip_from_v4(packet->daddr, *(__be32 *)(header + 16));
	/* Only the first fragment has ports. */
	if (!(bpf_ntohs(*(__be16 *)(header + 6)) & 0x1fff))
		packet_ports(packet, at + (header[0] & 0xf) * 4);
}

static __always_inline void packet_v6(struct packet *packet, const void *at)
{
	__u8 header[40] = {}, next[4] = {};
	__u32 offset = sizeof(header);

	if (bpf_probe_read_kernel(header, sizeof(header), at) || header[0] >> 4 != 6)
		return;
	packet->ip = 6;
	packet->protocol = header[6];
	__builtin_memcpy(packet->saddr, header + 8, 16);
	__builtin_memcpy(packet->daddr, header + 24, 16);
#pragma unroll
	for (int i = 0; i < 4; i++) {
		if (packet->protocol != IPV6_HOP_BY_HOP && packet->protocol != IPV6_ROUTING &&
		    packet->protocol != IPV6_FRAGMENT && packet->protocol != IPV6_OPTIONS)
			break;
		if (bpf_probe_read_kernel(next, sizeof(next), at + offset))
			return;
		if (packet->protocol == IPV6_FRAGMENT && bpf_ntohs(*(__be16 *)(next + 2)) & 0xfff8) {
			packet->protocol = next[0];
			return;
		}
		offset += packet->protocol == IPV6_FRAGMENT ? 8 : (next[1] + 1) * 8;
		packet->protocol = next[0];
	}
	packet_ports(packet, at + offset);
}

/* `ethertype` is that of the packet, in host order: without it there are no headers before the data either. */
static __always_inline void packet_read(struct packet *packet, const struct sk_buff *buffer, __u16 ethertype)
{
	const struct sk_buff___packet *skb = (const void *)buffer;
	__u16 offset = BPF_CORE_READ(skb, network_header);
	const void *at = BPF_CORE_READ(skb, head) + offset;

	/* There is always room for the header below. */
	if (!offset)
		return;
	if (ethertype == ETH_P_IP)
		packet_v4(packet, at);
	else if (ethertype == ETH_P_IPV6)
		packet_v6(packet, at);
}

/* What the header of the link said, in host order. */
static __always_inline __u16 packet_ethertype(const struct sk_buff *buffer)
{
	return bpf_ntohs(BPF_CORE_READ((const struct sk_buff___packet *)buffer, protocol));
}

/*
 * What follows is for programs of SEC("tp_btf/kfree_skb"): most packets are
 * dropped in interrupts, where the kernel leaves out programs of plain
 * tracepoints when it was one that was interrupted.
 */
static __always_inline const struct sk_buff *dropped_packet(const __u64 *ctx)
{
	return (const void *)ctx[0];
}

/* Who freed it. */
static __always_inline __u64 drop_location(const __u64 *ctx)
{
	return ctx[1];
}

/* Why; 0 on kernels before c504e5c2f964 ("net: skb: introduce kfree_skb_reason()", 5.17). */
static __always_inline __u32 drop_reason(const __u64 *ctx)
{
	return bpf_core_field_exists(struct trace_event_raw_kfree_skb, reason) ? ctx[2] : 0;
}

/* Whether it is a drop at all, as far as the kernel tells. */
static __always_inline bool is_drop(const __u64 *ctx)
{
	__u32 reason = drop_reason(ctx);

	if (!bpf_core_field_exists(struct trace_event_raw_kfree_skb, reason))
		return true;
	if (!reason || (bpf_core_enum_value_exists(enum skb_drop_reason, SKB_CONSUMED) &&
			reason == bpf_core_enum_value(enum skb_drop_reason, SKB_CONSUMED)))
		return false;
	return with_unspecified ||
	       reason != bpf_core_enum_value(enum skb_drop_reason, SKB_DROP_REASON_NOT_SPECIFIED);
}

/* The socket that a packet was for or from, where the kernel knows it by then. */
static __always_inline const struct sock *drop_socket(const __u64 *ctx)
{
	const struct sk_buff___packet *skb = (const void *)dropped_packet(ctx);
	const struct sock *receiver = NULL;

	/* c53795d48ee8 ("net: add rx_sk to trace_kfree_skb", 6.11) */
	if (bpf_core_field_exists(struct trace_event_raw_kfree_skb, rx_sk))
		receiver = maybe_null(&ctx[3]);
	return receiver ?: BPF_CORE_READ(skb, sk);
}

static __always_inline bool is_inet(const struct sock *sk)
{
	__u16 family = sk ? BPF_CORE_READ(sk, __sk_common.skc_family) : 0;

	return family == AF_INET || family == AF_INET6;
}

/* The namespace that a packet is in, by its socket or its device; 0 where it has neither any more. */
static __always_inline __u32 drop_netns(const struct sock *sk, const struct sk_buff *buffer)
{
	const struct sk_buff___packet *skb = (const void *)buffer;

	if (sk)
		return BPF_CORE_READ((const struct sock___net *)sk, __sk_common.skc_net.net, ns.inum);
	return BPF_CORE_READ(skb, dev, nd_net.net, ns.inum);
}

/* An empty name is every interface. */
static __always_inline bool wanted_interface(const volatile char wanted[16], const char name[16])
{
	if (!wanted[0])
		return true;
	for (int i = 0; i < 16; i++) {
		if (name[i] != wanted[i])
			return false;
		if (!name[i])
			break;
	}
	return true;
}

static __always_inline bool wanted_netns(__u32 netns)
{
	return !filter_netns || filter_netns == netns;
}

#endif
