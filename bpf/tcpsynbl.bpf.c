// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* How many connections wait to be accepted when another one is made. */
#include "core.h"
#include "hist.h"
#include "skb.h"
#include "tcp.h"
#include <bpf/bpf_tracing.h>

const volatile port_t filter_lports[FILTER_PORTS] = {};

struct key {
	__u32 backlog_max;
};

HISTOGRAMS(hists, struct key, 4096);

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct sock___backlog {
	__u32 sk_ack_backlog;
	__u32 sk_max_ack_backlog;
};

#pragma clang attribute pop

/* `sk` is the socket that listens, or a copy that was made of it for the connection. */
static __always_inline int arrived(const struct sock *sk, __u8 ip)
{
	const struct sock___backlog *queue = (const void *)sk;
	struct key key = {};

	if ((filter_family && ip != filter_family) || !wanted_port(filter_lports, tcp_local_port(sk)))
		return 0;
	key.backlog_max = BPF_CORE_READ(queue, sk_max_ack_backlog);
	hist_add(hists, &key, BPF_CORE_READ(queue, sk_ack_backlog));
	return 0;
}

/* The function of IPv6 calls that of IPv4 for packets of IPv4, which must not count twice. */
static __always_inline int arrived_v6(const struct sock *sk, const struct sk_buff *skb)
{
	return packet_ethertype(skb) == ETH_P_IP ? 0 : arrived(sk, 6);
}

SEC("fentry/tcp_v4_syn_recv_sock")
int BPF_PROG(v4__fentry, const struct sock *sk)
{
	return arrived(sk, 4);
}

SEC("fentry/tcp_v6_syn_recv_sock")
int BPF_PROG(v6__fentry, const struct sock *sk, const struct sk_buff *skb)
{
	return arrived_v6(sk, skb);
}

SEC("kprobe/tcp_v4_syn_recv_sock")
int BPF_KPROBE(v4__kprobe, const struct sock *sk)
{
	return arrived(sk, 4);
}

SEC("kprobe/tcp_v6_syn_recv_sock")
int BPF_KPROBE(v6__kprobe, const struct sock *sk, const struct sk_buff *skb)
{
	return arrived_v6(sk, skb);
}

/* A connection's own socket is a copy of the one that listens, with the lengths of its queue as they were. */
static __always_inline int state_changes(const struct sock *sk, int from, int to)
{
	ip_t local[16], remote[16];

	if (from != SYN_RECV || to != ESTABLISHED)
		return 0;
	return arrived(sk, sock_addresses(sk, local, remote));
}

AT_TCP_STATE(state_changes)

/* And where there is no room, there is no copy. */
SEC("tp_btf/kfree_skb")
int overflown__tp_btf(__u64 *ctx)
{
	const struct sock *sk;

	if (!bpf_core_enum_value_exists(enum skb_drop_reason, SKB_DROP_REASON_TCP_LISTEN_OVERFLOW) ||
	    drop_reason(ctx) != bpf_core_enum_value(enum skb_drop_reason, SKB_DROP_REASON_TCP_LISTEN_OVERFLOW))
		return 0;
	sk = drop_socket(ctx);
	return sk ? arrived(sk, packet_ethertype(dropped_packet(ctx)) == ETH_P_IP ? 4 : 6) : 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
