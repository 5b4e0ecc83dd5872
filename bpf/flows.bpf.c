// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* Who talks to whom: what processes exchange with each peer, in each direction. */
#include "other-task.h"
#include "skb.h"
#include "syscall-exit.h"
#include "traffic.h"

/* The socket's port was chosen by bind(2): a bit of sk_userlocks. */
#define SOCK_BINDPORT_LOCK 8

const volatile bool by_command = false;

enum direction {
	IN,
	OUT,
};

enum transport {
	TCP,
	UDP,
};

struct flow {
	maybe_pid_t pid;
	comm_t comm[16];
	enum direction direction;
	enum transport transport;
	ip_version_t ip;
	maybe_ip_t daddr[16];	/* absent for sockets that are not connected */
	port_t lport;		/* of IN */
	port_t dport;		/* of OUT */
	namespace_t netns;
};

struct amounts {
	count_t connections;
	bytes_t rx;
	bytes_t tx;
	count_t rx_packets;
	count_t tx_packets;
	boot_ns_t first;
	boot_ns_t last;
};

COUNTED_MAP(flows, BPF_MAP_TYPE_LRU_HASH, struct flow, struct amounts, 16384);

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct sock___flow {
	__u8 sk_userlocks : 4;
	__u32 sk_max_ack_backlog;
};

struct bpf_sock_addr_kern {
	struct sock *sk;
};

#pragma clang attribute pop

/* As the kernel shows it to programs: this stays as it is. */
struct bpf_sock_addr {
	__u32 user_family;
	__u32 user_ip4;
	__u32 user_ip6[4];
	__u32 user_port;
};

/* Who began: the other side, if the socket is a copy of one that listened, as accepted ones are. */
static __always_inline enum direction direction_of(const struct sock *sk, enum transport transport, bool connected)
{
	const struct sock___flow *socket = (const void *)sk;

	if (transport == TCP)
		return BPF_CORE_READ(socket, sk_max_ack_backlog) ? IN : OUT;
	return !connected && BPF_CORE_READ_BITFIELD_PROBED(socket, sk_userlocks) & SOCK_BINDPORT_LOCK ? IN : OUT;
}

static __always_inline bool flow_of(struct flow *flow, const struct sock *sk, struct task_struct *task)
{
	port_t remote = sock_remote_port(sk);
	ip_t local[16];

	/* Padding is part of the key. */
	__builtin_memset(flow, 0, sizeof(*flow));
	flow->netns = drop_netns(sk, NULL);
	flow->ip = sock_addresses(sk, local, flow->daddr);
	if (!flow->ip || !wanted_netns(flow->netns))
		return false;
	if (!remote)
		__builtin_memset(flow->daddr, 0, sizeof(flow->daddr));
	flow->transport = traffic_protocol(sk) == IPPROTO_TCP ? TCP : UDP;
	flow->direction = direction_of(sk, flow->transport, remote);
	if (flow->direction == IN)
		flow->lport = tcp_local_port(sk);
	else
		flow->dport = remote;
	if (!by_command)
		flow->pid = BPF_CORE_READ(task, tgid);
	/* The threads of a process may have names of their own. */
	BPF_CORE_READ_STR_INTO(&flow->comm, task, group_leader, comm);
	return true;
}

static __always_inline struct amounts *amounts_of(const struct flow *flow)
{
	struct amounts *amounts, empty = {};

	if (filter_family && flow->ip != filter_family)
		return NULL;
	amounts = bpf_map_lookup_elem(&flows, flow);
	if (!amounts) {
		empty.first = bpf_ktime_get_boot_ns();
		bpf_map_update_elem(&flows, flow, &empty, BPF_NOEXIST);
		amounts = bpf_map_lookup_elem(&flows, flow);
	}
	if (amounts)
		amounts->last = bpf_ktime_get_boot_ns();
	else
		COUNT_DROPPED(flows);
	return amounts;
}

static __always_inline struct amounts *amounts_through(const struct sock *sk)
{
	struct flow flow;

	return flow_of(&flow, sk, (void *)bpf_get_current_task()) ? amounts_of(&flow) : NULL;
}

static __always_inline void moved(struct sock *sk, __u32 bytes, bool sent)
{
	struct amounts *amounts = amounts_through(sk);

	if (!amounts)
		return;
	__sync_fetch_and_add(sent ? &amounts->tx : &amounts->rx, bytes);
	if (traffic_protocol(sk) == IPPROTO_UDP)
		__sync_fetch_and_add(sent ? &amounts->tx_packets : &amounts->rx_packets, 1);
}

static __always_inline int connection(const struct sock *sk)
{
	struct amounts *amounts = wanted_task(bpf_get_current_pid_tgid()) ? amounts_through(sk) : NULL;

	if (amounts)
		__sync_fetch_and_add(&amounts->connections, 1);
	return 0;
}

/* In the task that calls connect(2), when the other end is known. */
static __always_inline int state_changes(const struct sock *sk, int from, int to)
{
	return to == SYN_SENT ? connection(sk) : 0;
}

AT_TCP_STATE(state_changes)

static __always_inline int accepted(struct syscall_trace_exit *ctx)
{
	struct sock *sk = accepted_socket(syscall_result(ctx));

	return sk && traffic_protocol(sk) == IPPROTO_TCP ? connection(sk) : 0;
}

AT_ACCEPT(accepted)

/*
 * Whom a datagram is for, where the socket does not say: policies want to know.
 * What a socket that is IN sends are answers. It goes on whatever happens here.
 */
static __always_inline int addressed(const void *ctx, __u8 ip, const ip_t to[16], __be16 port)
{
	const struct sock *sk = BPF_CORE_READ((const struct bpf_sock_addr_kern *)ctx, sk);
	struct task_struct *task = (void *)bpf_get_current_task();
	struct amounts *amounts;
	struct flow flow;

	if (traffic_protocol(sk) != IPPROTO_UDP || !wanted_other_task(task) || !flow_of(&flow, sk, task) ||
	    flow.direction == IN)
		return 1;
	flow.ip = ip;
	__builtin_memcpy(flow.daddr, to, sizeof(flow.daddr));
	flow.dport = bpf_ntohs(port);
	amounts = amounts_of(&flow);
	if (amounts)
		__sync_fetch_and_add(&amounts->tx_packets, 1);
	return 1;
}

SEC("cgroup/sendmsg4")
int addressed4__cgroup(struct bpf_sock_addr *ctx)
{
	ip_t to[16];

	ip_from_v4(to, ctx->user_ip4);
	return addressed(ctx, 4, to, ctx->user_port);
}

SEC("cgroup/sendmsg6")
int addressed6__cgroup(struct bpf_sock_addr *ctx)
{
	__u32 to[4] = { ctx->user_ip6[0], ctx->user_ip6[1], ctx->user_ip6[2], ctx->user_ip6[3] };

	return addressed(ctx, 6, (const ip_t *)to, ctx->user_port);
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
