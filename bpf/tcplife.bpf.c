// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* TCP sessions that end: how long they lasted, and how much they carried. */
#include "events.h"
#include "owner.h"
#include "syscall-exit.h"
#include "tcp.h"

const volatile port_t filter_lports[FILTER_PORTS] = {};
const volatile port_t filter_dports[FILTER_PORTS] = {};

struct event {
	boot_ns_t time;
	maybe_pid_t pid;
	maybe_comm_t comm[16];
	TCP_ENDS;
	bytes_t tx;		/* acknowledged by the other side */
	bytes_t rx;		/* in order, whether they were read or not */
	ns_t duration;
	mark_t failed;		/* never established */
};

EVENT_RING(events, event);

struct session {
	__u64 birth;
	bool active;
	bool established;
	struct owner owner;
};

COUNTED_MAP(sessions, BPF_MAP_TYPE_HASH, __u64, struct session, MAX_SOCKETS);

/*
 * The kernel's counters follow the sequence numbers, of which SYN and FIN have
 * one each: our SYN is counted when it is acknowledged, but for the one in a
 * SYN-ACK, and so is our FIN; of the other side only the FIN is counted.
 */
static __always_inline void carried(struct event *event, const struct sock *sk, int state,
				    const struct session *session)
{
	const struct tcp_sock *tcp = (const void *)sk;
	bool fin_sent = state == FIN_WAIT1 || state == FIN_WAIT2 || state == CLOSING || state == LAST_ACK;

	if (!session->established)
		return;
	event->tx = BPF_CORE_READ(tcp, bytes_acked) - session->active;
	if (fin_sent && BPF_CORE_READ(tcp, snd_una) == BPF_CORE_READ(tcp, write_seq))
		event->tx--;
	event->rx = BPF_CORE_READ(tcp, bytes_received);
	if (BPF_CORE_READ((const struct sock___tcp *)sk, __sk_common.skc_flags) & 1UL << SOCK_DONE)
		event->rx--;
}

static __always_inline void ended(const struct sock *sk, int state, const struct session *session)
{
	struct event *event;

	if (!wanted_owner(&session->owner))
		return;
	event = event_reserve(events, event);
	if (!event)
		return;
	if (!tcp_ends(event, sk) || !wanted_port(filter_lports, event->lport) ||
	    !wanted_port(filter_dports, event->dport)) {
		event_discard(event);
		return;
	}
	event->time = bpf_ktime_get_boot_ns();
	copy_owner(event, &session->owner);
	carried(event, sk, state, session);
	event->duration = event->time - session->birth;
	event->failed = !session->established;
	event_submit(event);
}

static __always_inline int state_changes(const struct sock *sk, int from, int to)
{
	__u64 key = (__u64)sk;
	struct session *session;

	if (to == LISTEN || (from == LISTEN && to == CLOSE))
		return 0;
	if (is_new_socket(from, to)) {
		struct session born = { .birth = bpf_ktime_get_boot_ns(), .active = to == SYN_SENT };

		if (made_by_owner(from, to))
			owner_is_current(&born.owner);
		if (bpf_map_update_elem(&sessions, &key, &born, BPF_ANY))
			COUNT_DROPPED(sessions);
		return 0;
	}
	session = bpf_map_lookup_elem(&sessions, &key);
	if (!session)
		return 0;
	if (to == ESTABLISHED)
		session->established = true;
	if (made_by_owner(from, to) && !session->owner.pid)
		owner_is_current(&session->owner);
	if (to == CLOSE) {
		ended(sk, from, session);
		bpf_map_delete_elem(&sessions, &key);
	}
	return 0;
}

AT_TCP_STATE(state_changes)

static __always_inline int accepted(struct syscall_trace_exit *ctx)
{
	__u64 key = (__u64)accepted_socket(syscall_result(ctx));
	struct session *session = bpf_map_lookup_elem(&sessions, &key);

	if (session && !session->owner.pid)
		owner_is_current(&session->owner);
	return 0;
}

AT_ACCEPT(accepted)

char LICENSE[] SEC("license") = "Dual BSD/GPL";
