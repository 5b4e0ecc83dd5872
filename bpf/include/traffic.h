/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * What processes send and receive through internet sockets. Who includes this
 * says of which protocol, and what to do with it:
 *
 *	#define TRAFFIC_PROTOCOL IPPROTO_TCP
 *	#include "traffic.h"
 *	static __always_inline void moved(struct sock *sk, __u32 bytes, bool sent) { ... }
 *
 * Without TRAFFIC_PROTOCOL it is TCP and UDP, and what is read of a socket tells
 * which: traffic_protocol().
 *
 * moved() is called in the task that sent or received, for each call that did:
 * with the bytes that the call returned, and after the filters for tasks, or
 * with TRAFFIC_OF_ALL defined whoever it was. Plans for attach.either:
 * `trafficPlans` of lib/shapes/traffic.ts.
 */
#ifndef KSCOPE_TRAFFIC_H
#define KSCOPE_TRAFFIC_H

#include "filter.h"
#include "probe.h"
#include "tcp.h"

#define MSG_PEEK 0x2
#define MSG_ERRQUEUE 0x2000

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct trace_event_raw_sock_msg_length {
	struct sock *sk;
	__u16 protocol;
	int ret;
	int flags;
};

#pragma clang attribute pop

static __always_inline void moved(struct sock *sk, __u32 bytes, bool sent);

/* Who sends and receives through what. */
struct traffic_key {
	pid_t pid;
	ip_version_t ip;
	ip_t saddr[16];
	port_t lport;
	maybe_ip_t daddr[16];	/* absent for sockets that are not connected */
	port_t dport;
};

static __always_inline bool traffic_key(struct traffic_key *key, const struct sock *sk)
{
	__builtin_memset(key, 0, sizeof(*key));
	key->pid = bpf_get_current_pid_tgid() >> 32;
	if (!tcp_ends(key, sk))
		return false;
	if (!key->dport)
		__builtin_memset(key->daddr, 0, sizeof(key->daddr));
	return true;
}

/* TRAFFIC_MAP(map, record): what is known by that; those that were quiet for longest make room. */
#define TRAFFIC_MAP(map, record) COUNTED_MAP(map, BPF_MAP_TYPE_LRU_HASH, struct traffic_key, record, 16384)

/* The entry of a key, or NULL (counted); a new one has the command in `comm`. */
#define traffic_entry(map, key)							\
({										\
	typeof(*(map).value) *__entry = bpf_map_lookup_elem(&(map), key), __empty = {};	\
										\
	if (!__entry) {								\
		bpf_get_current_comm(__empty.comm, sizeof(__empty.comm));	\
		bpf_map_update_elem(&(map), key, &__empty, BPF_NOEXIST);	\
		__entry = bpf_map_lookup_elem(&(map), key);			\
	}									\
	if (!__entry)								\
		COUNT_DROPPED(map);						\
	__entry;								\
})

ENTRY_MAP(traffic_calls, struct sock *);

static __always_inline bool wanted_mover(void)
{
#ifdef TRAFFIC_OF_ALL
	return true;
#else
	return wanted_task(bpf_get_current_pid_tgid());
#endif
}

static __always_inline __u16 traffic_protocol(const struct sock *sk)
{
	return BPF_CORE_READ(sk, sk_protocol);
}

static __always_inline int traffic(struct sock *sk, long result, bool sent)
{
	__u16 protocol;

	if (result < 0)
		return 0;
	protocol = traffic_protocol(sk);
#ifdef TRAFFIC_PROTOCOL
	if (protocol != TRAFFIC_PROTOCOL)
		return 0;
#else
	if (protocol != IPPROTO_TCP && protocol != IPPROTO_UDP)
		return 0;
#endif
	/* Datagrams may be empty. */
	if (!result && protocol == IPPROTO_TCP)
		return 0;
	if (wanted_mover())
		moved(sk, result, sent);
	return 0;
}

/* What is only looked at, and reports about what was sent earlier, is not received. */
static __always_inline bool takes(int flags)
{
	return !(flags & (MSG_PEEK | MSG_ERRQUEUE));
}

/* 6e6eda44b939 ("sock: add tracepoint for send recv length", 6.3) */
SEC("tp/sock/sock_send_length")
int sent__tp(struct trace_event_raw_sock_msg_length *ctx)
{
	return traffic(ctx->sk, ctx->ret, true);
}

SEC("tp/sock/sock_recv_length")
int received__tp(struct trace_event_raw_sock_msg_length *ctx)
{
	return takes(ctx->flags) ? traffic(ctx->sk, ctx->ret, false) : 0;
}

/* Before that, the functions of the two families, which have kept their arguments. */
#define TRAFFIC_FUNCTIONS(family)						\
SEC("fexit/" #family "_sendmsg")						\
int BPF_PROG(family##_sendmsg__fexit, struct socket *socket, void *message, unsigned long size, int result) \
{										\
	return traffic(BPF_CORE_READ(socket, sk), result, true);		\
}										\
										\
SEC("fexit/" #family "_recvmsg")						\
int BPF_PROG(family##_recvmsg__fexit, struct socket *socket, void *message, unsigned long size, int flags, \
	     int result)							\
{										\
	return takes(flags) ? traffic(BPF_CORE_READ(socket, sk), result, false) : 0; \
}										\
										\
SEC("kprobe/" #family "_sendmsg")						\
int BPF_KPROBE(family##_sendmsg__kprobe, struct socket *socket)			\
{										\
	return traffic_begins(socket, 0);					\
}										\
										\
SEC("kretprobe/" #family "_sendmsg")						\
int BPF_KRETPROBE(family##_sendmsg__kretprobe, int result)			\
{										\
	return traffic_ends(result, true);					\
}										\
										\
SEC("kprobe/" #family "_recvmsg")						\
int BPF_KPROBE(family##_recvmsg__kprobe, struct socket *socket, void *message, unsigned long size, int flags) \
{										\
	return traffic_begins(socket, flags);					\
}										\
										\
SEC("kretprobe/" #family "_recvmsg")						\
int BPF_KRETPROBE(family##_recvmsg__kretprobe, int result)			\
{										\
	return traffic_ends(result, false);					\
}

static __always_inline int traffic_begins(struct socket *socket, int flags)
{
	struct sock *sk = BPF_CORE_READ(socket, sk);

	if (takes(flags) && wanted_mover())
		entry_keep(traffic_calls, &sk);
	return 0;
}

static __always_inline int traffic_ends(long result, bool sent)
{
	struct sock **entry = entry_find(traffic_calls), *sk;

	if (!entry)
		return 0;
	sk = *entry;
	entry_forget(traffic_calls);
	return traffic(sk, result, sent);
}

TRAFFIC_FUNCTIONS(inet)
TRAFFIC_FUNCTIONS(inet6)

/* sendfile(2) had a way of its own until dc97391e6610 ("sock: Remove ->sendpage*() in favour of sendmsg(MSG_SPLICE_PAGES)", 6.5). */
SEC("fexit/inet_sendpage")
int BPF_PROG(inet_sendpage__fexit, struct socket *socket, void *page, int offset, unsigned long size, int flags,
	     long result)
{
	return traffic(BPF_CORE_READ(socket, sk), result, true);
}

SEC("kprobe/inet_sendpage")
int BPF_KPROBE(inet_sendpage__kprobe, struct socket *socket)
{
	return traffic_begins(socket, 0);
}

SEC("kretprobe/inet_sendpage")
int BPF_KRETPROBE(inet_sendpage__kretprobe, long result)
{
	return traffic_ends(result, true);
}

/* splice(2) out of a TCP socket still has. */
SEC("fexit/tcp_splice_read")
int BPF_PROG(tcp_splice_read__fexit, struct socket *socket, void *position, void *pipe, unsigned long size,
	     unsigned int flags, long result)
{
	return traffic(BPF_CORE_READ(socket, sk), result, false);
}

SEC("kprobe/tcp_splice_read")
int BPF_KPROBE(tcp_splice_read__kprobe, struct socket *socket)
{
	return traffic_begins(socket, 0);
}

SEC("kretprobe/tcp_splice_read")
int BPF_KRETPROBE(tcp_splice_read__kretprobe, long result)
{
	return traffic_ends(result, false);
}

#endif
