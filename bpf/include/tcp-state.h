/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* The states of TCP sockets, and their changes. */
#ifndef KSCOPE_TCP_STATE_H
#define KSCOPE_TCP_STATE_H

#include "core.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_tracing.h>

/* Known to user programs, so they stay as they are. */
enum tcp_state {
	ESTABLISHED = 1,
	SYN_SENT,
	SYN_RECV,
	FIN_WAIT1,
	FIN_WAIT2,
	TIME_WAIT,
	CLOSE,
	CLOSE_WAIT,
	LAST_ACK,
	LISTEN,
	CLOSING,
	NEW_SYN_RECV,
};

/*
 * AT_TCP_STATE(handler): calls handler(sk, from, to) at each change of the
 * state of a TCP socket. Many are made in interrupts, where the kernel leaves
 * out programs of plain tracepoints when it was one that was interrupted.
 */
#define AT_TCP_STATE(handler)						\
	SEC("tp_btf/inet_sock_set_state")				\
	int BPF_PROG(sock_state__tp_btf, const struct sock *sk, int from, int to)	\
	{								\
		return BPF_CORE_READ(sk, sk_protocol) == IPPROTO_TCP ?		\
		       handler(sk, from, to) : 0;			\
	}

#endif
