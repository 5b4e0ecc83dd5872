/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* TCP sockets: their states, their two ends, and who they belong to. */
#ifndef KSCOPE_TCP_H
#define KSCOPE_TCP_H

#include "core.h"
#include "file.h"
#include "ip.h"
#include "tcp-state.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_endian.h>

#define MAX_SOCKETS 65536
#define FILTER_PORTS 64

/* A bit of skc_flags: the other side's FIN has been taken. */
#define SOCK_DONE 1

const volatile __u8 filter_family = 0;		/* 4 or 6: what is spoken */

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct sock_common___tcp {
	unsigned char skc_state;
	unsigned long skc_flags;
};

struct sk_buff_head {
	struct sk_buff *next;
};

struct sock___tcp {
	struct sock_common___tcp __sk_common;
	int sk_err;
	struct sk_buff_head sk_write_queue;	/* what was never sent */
};

struct inet_connection_sock {
	__u8 icsk_pending;
	__u8 icsk_ca_state : 5;
};

struct tcp_sock {
	__u32 snd_una;
	__u32 snd_wnd;
	__u32 write_seq;
	__u32 mss_cache;
	__u32 tlp_high_seq;
	__u64 bytes_acked;
	__u64 bytes_received;
};

struct sk_buff {
	unsigned int len;
	char cb[48];
};

struct tcp_skb_cb {
	__u32 seq;
	__u32 end_seq;
	__u8 tcp_flags;
};

struct tcp_request_sock {
	__u32 snt_isn;
};

struct trace_event_raw_tcp_retransmit_skb {
	int err;
};

struct socket {
	struct sock *sk;
};

struct file___tcp {
	void *private_data;
};

#pragma clang attribute pop

/* An empty list, which ends at its first 0, is every port. */
static __always_inline bool wanted_port(const volatile port_t ports[FILTER_PORTS], port_t port)
{
	if (!ports[0])
		return true;
	for (int i = 0; i < FILTER_PORTS && ports[i]; i++)
		if (ports[i] == port)
			return true;
	return false;
}

/* The port outlives skc_num, which is 0 again before a socket's state becomes CLOSE. */
static __always_inline port_t tcp_local_port(const struct sock *sk)
{
	return bpf_ntohs(BPF_CORE_READ((const struct inet_sock *)sk, inet_sport));
}

static __always_inline enum tcp_state tcp_state(const struct sock *sk)
{
	return BPF_CORE_READ((const struct sock___tcp *)sk, __sk_common.skc_state);
}

/* Both ends of a connection; `ip` is what is spoken, 4 or 6, not what the socket was made for. */
#define TCP_ENDS							\
	ip_version_t ip;						\
	ip_t saddr[16];							\
	port_t lport;							\
	ip_t daddr[16];							\
	port_t dport

/* Fills these in a zeroed record; false where the family is not wanted. */
#define tcp_ends(event, socket)						\
({									\
	(event)->ip = sock_addresses(socket, (event)->saddr, (event)->daddr);	\
	(event)->lport = tcp_local_port(socket);			\
	(event)->dport = sock_remote_port(socket);			\
	(event)->ip && (!filter_family || (event)->ip == filter_family);	\
})

/* A record with these, or NULL where there is no room for it or the family is not wanted. */
#define tcp_event_reserve(ring, tag, socket)				\
({									\
	struct tag *__event = event_reserve(ring, tag);			\
	if (__event && !tcp_ends(__event, socket)) {			\
		event_discard(__event);					\
		__event = NULL;						\
	}								\
	__event;							\
})

/*
 * Whether a change of state is made by a task that owns the socket: connect(2),
 * listen(2), shutdown(2), close(2). All other changes may be made by packets and
 * timers, in interrupts of whoever runs.
 */
static __always_inline bool made_by_owner(int from, int to)
{
	return (from == CLOSE && (to == SYN_SENT || to == LISTEN)) || (from == LISTEN && to == CLOSE) ||
	       to == LAST_ACK || to == FIN_WAIT1;
}

/* The first change of state that a socket in new memory makes: nothing that was known about the memory holds. */
static __always_inline bool is_new_socket(int from, int to)
{
	return from == CLOSE || (from == LISTEN && to == SYN_RECV);
}

/* The socket that a descriptor of the current task is, if it is one. */
static __always_inline struct sock *fd_socket(int fd)
{
	struct file *file = current_file(fd);
	struct socket *socket;

	if (!file || file_type(file) != S_IFSOCK)
		return NULL;
	socket = BPF_CORE_READ((struct file___tcp *)file, private_data);
	return BPF_CORE_READ(socket, sk);
}

/* The socket of a descriptor that accept(2) has just returned, if it did. */
static __always_inline struct sock *accepted_socket(long fd)
{
	return fd < 0 ? NULL : fd_socket(fd);
}

/* Both system calls that accept a connection: `body(ctx)` when one of them returns. */
#define AT_ACCEPT(body)							\
SEC("tp/syscalls/sys_exit_accept")					\
int accept__tp(struct syscall_trace_exit *ctx)				\
{									\
	return body(ctx);						\
}									\
									\
SEC("tp/syscalls/sys_exit_accept4")					\
int accept4__tp(struct syscall_trace_exit *ctx)				\
{									\
	return body(ctx);						\
}

#endif
