// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* Packets on their way to devices and from them, with whose they are. */
#include "events.h"
#include "packet-data.h"
#include "packet-filter.h"
#include "packet-owner.h"
#include "task-context.h"
#include <bpf/bpf_tracing.h>

#define MAX_DATA 10240
#define ETH_P_ARP 0x0806
#define ARPHRD_ETHER 1
#define ARPHRD_LOOPBACK 772
#define NO_HEADER 0xffff

const volatile __u32 snaplen = 256;
const volatile text_t filter_interface[16] = {};

enum direction {
	IN,
	OUT,
};

struct event {
	boot_ns_t time;
	__u32 nanoseconds;	/* beyond the microsecond */
	maybe_pid_t pid;
	maybe_comm_t comm[16];
	namespace_t netns;
	__u32 ifindex;
	maybe_text_t interface[16];
	enum direction direction;
	__u16 ethertype;
	ip_version_t ip;
	__u8 protocol;
	bytes_t length;
	maybe_ip_t saddr[16];
	port_t sport;
	maybe_ip_t daddr[16];
	port_t dport;
	tcp_flags_t flags;
	mark_t ethernet;	/* the packet begins with such a header */
	hex_t packet[sizeof(__u32) + MAX_DATA];
};

EVENT_RING(events, event);

struct room {
	struct event event;
	__u8 more[MAX_DATA];
	struct owner owner;
	/* On the stack, verifiers before 6.8 take what they know of one packet for true of all. */
	struct packet_facts facts;
};

SCRATCH(event_scratch, struct room, 2);

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct net_device___captured {
	char name[16];
	int ifindex;
	unsigned short type;
};

struct sk_buff___captured {
	unsigned char *head;
	unsigned char *data;
	unsigned int len;
	unsigned int data_len;
	__u16 mac_header;
	__u16 network_header;
	__be16 protocol;
	struct sock *sk;
	struct net_device___captured *dev;
};

#pragma clang attribute pop

static __always_inline void packet_arp(struct packet *packet, const void *at)
{
	struct {
		__be16 hardware, protocol;
		__u8 sizes[2];
		__be16 operation;
	} head = {};
	__be32 v4 = 0;

	if (bpf_probe_read_kernel(&head, sizeof(head), at) || head.protocol != bpf_htons(ETH_P_IP) ||
	    head.sizes[0] != 6 || head.sizes[1] != 4)
		return;
	bpf_probe_read_kernel(&v4, sizeof(v4), at + 14);
	ip_from_v4(packet->saddr, v4);
	bpf_probe_read_kernel(&v4, sizeof(v4), at + 24);
	ip_from_v4(packet->daddr, v4);
}

static __always_inline bool wanted_packet(struct packet_facts *facts, const struct packet *packet, __u16 ethertype,
					  __u32 length, bool out)
{
	bool ports = packet->protocol == IPPROTO_TCP || packet->protocol == IPPROTO_UDP;

	facts->number[IP_VERSION] = packet->ip;
	facts->number[ETHERTYPE] = ethertype;
	facts->number[PROTOCOL] = packet->ip ? packet->protocol : NO_NUMBER;
	facts->number[SOURCE_PORT] = ports ? packet->sport : NO_NUMBER;
	facts->number[DESTINATION_PORT] = ports ? packet->dport : NO_NUMBER;
	facts->number[LENGTH] = length;
	facts->number[OUTBOUND] = out;
	__builtin_memcpy(facts->address[SOURCE], packet->saddr, 16);
	__builtin_memcpy(facts->address[DESTINATION], packet->daddr, 16);
	return packet_matches(facts);
}

static __always_inline int captured(const void *ctx, struct sk_buff *buffer, bool out, bool readable)
{
	struct sk_buff___captured *skb = (void *)buffer;
	struct net_device___captured *dev = skb->dev;
	__u32 count, wanted, before, linear, netns, slot = out;
	__u16 type = dev->type, ethertype = bpf_ntohs(skb->protocol);
	const void *start = skb->data, *ip = start;
	struct room *room = scratch(event_scratch, slot);
	struct packet packet = {};
	struct end end = {};
	char interface[16] = {};
	struct owner *owner;
	struct event *event;
	struct sock *sk;
	__u64 now;
	bool ethernet = type == ARPHRD_ETHER || type == ARPHRD_LOOPBACK;

	if (!room)
		return 0;
	bpf_probe_read_kernel_str(interface, sizeof(interface), dev->name);
	if (!wanted_interface(filter_interface, interface))
		return 0;
	if (out)
		ip = skb->head + skb->network_header;
	else if (ethernet && skb->mac_header != NO_HEADER)
		start = skb->head + skb->mac_header;
	if (ethertype == ETH_P_IP)
		packet_v4(&packet, ip);
	else if (ethertype == ETH_P_IPV6)
		packet_v6(&packet, ip);
	else if (ethertype == ETH_P_ARP)
		packet_arp(&packet, ip);
	if (!ethernet && !packet.ip)
		return 0;
	/* Other devices have headers of their own, or none. */
	if (!ethernet)
		start = ip;
	before = (void *)skb->data - start;
	count = skb->len + before;
	if (!wanted_packet(&room->facts, &packet, ethertype, count, out))
		return 0;
	netns = drop_netns(NULL, buffer);
	if (!wanted_netns(netns))
		return 0;
	/* What another network's socket has sent still is its. */
	sk = skb->sk;
	end.netns = out && is_inet(sk) ? drop_netns(sk, NULL) : netns;
	end.protocol = packet.protocol;
	end.port = out ? packet.sport : packet.dport;
	end.peer_port = out ? packet.dport : packet.sport;
	__builtin_memcpy(end.address, out ? packet.saddr : packet.daddr, 16);
	__builtin_memcpy(end.peer, out ? packet.daddr : packet.saddr, 16);
	owner = &room->owner;
	__builtin_memset(owner, 0, sizeof(*owner));
	if (packet.ip)
		owner_of(owner, &end, out && sk && by_process(ctx));
	if (!wanted_owner(owner))
		return 0;
	event = &room->event;
	now = bpf_ktime_get_boot_ns();
	event->time = now;
	event->nanoseconds = now % 1000;
	copy_owner(event, owner);
	event->netns = netns;
	event->ifindex = dev->ifindex;
	__builtin_memcpy(event->interface, interface, sizeof(interface));
	event->direction = out ? OUT : IN;
	event->ethertype = ethertype;
	packet_fields(event, &packet);
	event->protocol = packet.protocol;
	event->length = count;
	event->ethernet = ethernet;
	linear = skb->len - skb->data_len + before;
	wanted = count < snaplen ? count : snaplen;
	count = packet_append((__u8 *)event->packet + sizeof(count), 0, wanted < linear ? wanted : linear, start,
			      MAX_DATA);
	if (count == linear && count < wanted)
		count = readable ? packet_rest((__u8 *)event->packet + sizeof(count), count, wanted, buffer, before, MAX_DATA) :
			packet_fragments((__u8 *)event->packet + sizeof(count), count, wanted, (void *)skb, MAX_DATA);
	__builtin_memcpy(event->packet, &count, sizeof(count));
	barrier_var(count);
	if (count > MAX_DATA)
		return 0;
	event_output(events, event, offsetof(struct event, packet) + sizeof(count) + count);
	return 0;
}

SEC("tp_btf/net_dev_queue")
int BPF_PROG(sent__readable, struct sk_buff *skb)
{
	return captured(ctx, skb, true, true);
}

SEC("tp_btf/netif_receive_skb")
int BPF_PROG(received__readable, struct sk_buff *skb)
{
	return captured(ctx, skb, false, true);
}

/* Until 6.12. */
SEC("tp_btf/net_dev_queue")
int BPF_PROG(sent__btf, struct sk_buff *skb)
{
	return captured(ctx, skb, true, false);
}

SEC("tp_btf/netif_receive_skb")
int BPF_PROG(received__btf, struct sk_buff *skb)
{
	return captured(ctx, skb, false, false);
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
