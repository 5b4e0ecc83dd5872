// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* TCP connections as they are made, accepted and closed. */
#include "events.h"
#include "owner.h"
#include "skb.h"
#include "syscall-exit.h"
#include "tcp.h"

const volatile bool failed_too = false;

enum kind {
	CONNECT,
	ACCEPT,
	CLOSED,
};

struct event {
	boot_ns_t time;
	enum kind kind;
	pid_t pid;
	uid_t uid;
	comm_t comm[16];
	TCP_ENDS;
	namespace_t netns;
	errno_t error;		/* why there is no connection */
};

EVENT_RING(events, event);

struct known {
	struct owner owner;
	uid_t uid;
};

COUNTED_MAP(connections, BPF_MAP_TYPE_HASH, __u64, struct known, MAX_SOCKETS);

static __always_inline void known_is_current(struct known *known)
{
	owner_is_current(&known->owner);
	known->uid = bpf_get_current_uid_gid();
}

static __always_inline void remember(const struct sock *sk, const struct known *known)
{
	__u64 key = (__u64)sk;

	if (bpf_map_update_elem(&connections, &key, known, BPF_ANY))
		COUNT_DROPPED(connections);
}

static __always_inline void report(const struct sock *sk, enum kind kind, const struct known *known, int error)
{
	struct event *event;

	if (!known->owner.wanted)
		return;
	event = event_reserve(events, event);
	if (!event)
		return;
	event->netns = drop_netns(sk, NULL);
	if (!tcp_ends(event, sk) || !wanted_netns(event->netns)) {
		event_discard(event);
		return;
	}
	event->time = bpf_ktime_get_boot_ns();
	event->kind = kind;
	copy_owner(event, &known->owner);
	event->uid = known->uid;
	event->error = error;
	event_submit(event);
}

static __always_inline int state_changes(const struct sock *sk, int from, int to)
{
	int error;
	struct known now = {}, *known;
	__u64 key = (__u64)sk;

	if (from == CLOSE && to == SYN_SENT) {
		known_is_current(&now);
		remember(sk, &now);
		return 0;
	}
	known = bpf_map_lookup_elem(&connections, &key);
	if (from == SYN_SENT) {
		error = BPF_CORE_READ((const struct sock___tcp *)sk, sk_err);
		if (known && (to == ESTABLISHED || (failed_too && error)))
			report(sk, CONNECT, known, to == ESTABLISHED ? 0 : error);
	} else if (from == ESTABLISHED || from == CLOSE_WAIT) {
		if (to == FIN_WAIT1 || to == LAST_ACK) {
			known_is_current(&now);
			report(sk, CLOSED, &now, 0);
		} else if (to == CLOSE && known) {
			/* A reset, by whomever. */
			report(sk, CLOSED, known, 0);
		}
	}
	/* What comes after FIN_WAIT1 is not the process's any more. */
	if (known && (to == CLOSE || to == FIN_WAIT1 || to == LAST_ACK))
		bpf_map_delete_elem(&connections, &key);
	return 0;
}

AT_TCP_STATE(state_changes)

static __always_inline int accepted(struct syscall_trace_exit *ctx)
{
	struct sock *sk = accepted_socket(syscall_result(ctx));
	struct known now = {};

	if (!sk || BPF_CORE_READ(sk, sk_protocol) != IPPROTO_TCP)
		return 0;
	known_is_current(&now);
	report(sk, ACCEPT, &now, 0);
	if (tcp_state(sk) != CLOSE)
		remember(sk, &now);
	return 0;
}

AT_ACCEPT(accepted)

char LICENSE[] SEC("license") = "Dual BSD/GPL";
