// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* Sockets that processes begin to listen on, and those on which they cannot. */
#include "compat.h"
#include "events.h"
#include "filter.h"
#include "skb.h"
#include "syscall-exit.h"
#include "tcp.h"
#include <bpf/bpf_tracing.h>

struct event {
	EVENT_HEAD;
	errno_t error;
	__u32 backlog;		/* what is in force; what was asked for, if the call failed */
	ip_version_t ip;		/* what the socket was made for */
	ip_t addr[16];
	port_t port;
	namespace_t netns;
	cgroup_id_t cgroup;
};

EVENT_RING(events, event);

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct sock___listening {
	__u32 sk_max_ack_backlog;
};

#pragma clang attribute pop

SEC("tp/syscalls/sys_exit_listen")
int listen__tp(struct syscall_trace_exit *ctx)
{
	__u64 id = bpf_get_current_pid_tgid();
	long result = syscall_result(ctx);
	struct pt_regs *regs;
	struct event *event;
	struct sock *sk;
	ip_t nobody[16];

	if (!wanted_task(id))
		return 0;
	regs = current_user_regs();
	sk = fd_socket((int)syscall_arg1(regs));
	if (!sk || BPF_CORE_READ(sk, sk_protocol) != IPPROTO_TCP)
		return 0;
	event = event_reserve(events, event);
	if (!event)
		return 0;
	event->ip = sock_addresses(sk, event->addr, nobody);
	event->netns = drop_netns(sk, NULL);
	if (!event->ip || (filter_family && event->ip != filter_family) || !wanted_netns(event->netns)) {
		event_discard(event);
		return 0;
	}
	event_head(event, id);
	event->error = result < 0 ? -result : 0;
	event->backlog = result < 0 ? (__u32)syscall_arg2(regs)
				      : BPF_CORE_READ((struct sock___listening *)sk, sk_max_ack_backlog);
	event->port = sock_local_port(sk);
	event->cgroup = bpf_get_current_cgroup_id();
	event_submit(event);
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
