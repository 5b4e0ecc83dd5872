// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * TCP connections that processes accept. The kernel's function knows all of
 * them; without fexit and kprobes, the system calls do, which are not the only
 * way to it: io_uring is another.
 */
#include "events.h"
#include "filter.h"
#include "syscall-exit.h"
#include "tcp.h"
#include <bpf/bpf_tracing.h>

const volatile port_t filter_lports[FILTER_PORTS] = {};

struct event {
	EVENT_HEAD;
	TCP_ENDS;
	__u32 backlog;		/* how many waited when the connection was made */
	__u32 backlog_max;
	cgroup_id_t cgroup;
};

EVENT_RING(events, event);

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct proto_accept_arg {
	int flags;
};

struct sock___accepted {
	__u32 sk_ack_backlog;
	__u32 sk_max_ack_backlog;
};

#pragma clang attribute pop

static __always_inline int accepted(struct sock *sk)
{
	__u64 id = bpf_get_current_pid_tgid();
	struct event *event;

	if (!wanted_task(id) || BPF_CORE_READ(sk, sk_protocol) != IPPROTO_TCP)
		return 0;
	event = event_reserve(events, event);
	if (!event)
		return 0;
	if (!tcp_ends(event, sk) || !wanted_port(filter_lports, event->lport)) {
		event_discard(event);
		return 0;
	}
	event_head(event, id);
	/* The socket is a copy of the one that listens, as that was then. */
	event->backlog = BPF_CORE_READ((struct sock___accepted *)sk, sk_ack_backlog);
	event->backlog_max = BPF_CORE_READ((struct sock___accepted *)sk, sk_max_ack_backlog);
	event->cgroup = bpf_get_current_cgroup_id();
	event_submit(event);
	return 0;
}

/*
 * The result comes behind the arguments, of which there were four before
 * 92ef0fd55ac8 ("net: change proto and proto_ops accept type", 6.10).
 */
SEC("fexit/inet_csk_accept")
int accept__fexit(__u64 *ctx)
{
	struct sock *sk = (void *)(bpf_core_type_exists(struct proto_accept_arg) ? kept_apart(ctx[2]) : ctx[4]);

	return sk ? accepted(sk) : 0;
}

SEC("kretprobe/inet_csk_accept")
int BPF_KRETPROBE(accept__kretprobe, struct sock *sk)
{
	return sk ? accepted(sk) : 0;
}

static __always_inline int syscall_returns(struct syscall_trace_exit *ctx)
{
	struct sock *sk = accepted_socket(syscall_result(ctx));

	return sk ? accepted(sk) : 0;
}

AT_ACCEPT(syscall_returns)

char LICENSE[] SEC("license") = "Dual BSD/GPL";
