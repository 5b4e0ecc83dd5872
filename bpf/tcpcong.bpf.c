// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* How long TCP connections are in which state of congestion control. */
#include "hist.h"
#include "tcp.h"
#include <bpf/bpf_tracing.h>

struct range {
	port_t first;
	port_t last;
};

const volatile struct range filter_lports = { .last = 65535 };
const volatile struct range filter_dports = { .last = 65535 };
const volatile bool by_dist = false;

/* The kernel's numbers, which user programs know, plus one. */
enum cong_state {
	CLOSED,
	OPEN,
	DISORDER,
	CWR,
	RECOVERY,
	LOSS,
	CONG_STATES,
};

struct flow {
	TCP_ENDS;
};

struct times {
	ns_t open;
	ns_t disorder;
	ns_t recovery;
	ns_t cwr;
	ns_t loss;
	count_t changes;
	enum cong_state state;
	__u64 since;		/* bpf_ktime_get_ns() */
};

TABLE_IN(flows, BPF_MAP_TYPE_LRU_HASH, struct flow, struct times, 16384);

struct key {
	enum cong_state state;
};

HISTOGRAMS(hists, struct key, 16);

static __always_inline bool in_range(const volatile struct range *range, port_t port)
{
	return port >= range->first && port <= range->last;
}

static __always_inline bool wanted_flow(struct flow *flow, const struct sock *sk)
{
	return tcp_ends(flow, sk) && in_range(&filter_lports, flow->lport) && in_range(&filter_dports, flow->dport);
}

static __always_inline void book(struct times *times, __u64 time)
{
	struct key key = { .state = times->state };

	switch (times->state) {
	case OPEN:
		times->open += time;
		break;
	case DISORDER:
		times->disorder += time;
		break;
	case CWR:
		times->cwr += time;
		break;
	case RECOVERY:
		times->recovery += time;
		break;
	case LOSS:
		times->loss += time;
		break;
	default:
		return;
	}
	if (by_dist)
		hist_add(hists, &key, time);
}

/* A connection is in a state now, whether that is news or not; `changed` tells of one that nothing is known of. */
static __always_inline int is_in(const struct sock *sk, enum cong_state state, bool changed)
{
	__u64 now = bpf_ktime_get_ns();
	struct flow flow = {};
	struct times *times;

	if (!wanted_flow(&flow, sk))
		return 0;
	times = state == CLOSED ? bpf_map_lookup_elem(&flows, &flow) : table_row(flows, &flow);
	if (!times || times->state == state)
		return 0;
	book(times, now - times->since);
	if (state != CLOSED && (times->state != CLOSED || changed))
		times->changes++;
	times->state = state;
	times->since = now;
	return 0;
}

static __always_inline enum cong_state cong_state(const struct sock *sk)
{
	return BPF_CORE_READ_BITFIELD_PROBED((const struct inet_connection_sock *)sk, icsk_ca_state) + OPEN;
}

static __always_inline int state_changes(const struct sock *sk, int from, int to)
{
	if (to == ESTABLISHED)
		return is_in(sk, cong_state(sk), false);
	return to == CLOSE ? is_in(sk, CLOSED, false) : 0;
}

AT_TCP_STATE(state_changes)

/* 15fcdf6ae116 ("tcp: Add tracepoint for tcp_set_ca_state", 5.19); the socket has the old state still. */
SEC("tp_btf/tcp_cong_state_set")
int BPF_PROG(cong_state__tp_btf, const struct sock *sk, __u8 number)
{
	enum cong_state state = number + OPEN;

	return cong_state(sk) == state ? 0 : is_in(sk, state, true);
}

/* Before that, the state is looked at when segments come, which is when it changes, or a timer sends again. */
SEC("tp_btf/tcp_probe")
int BPF_PROG(segment__tp_btf, struct sock *sk)
{
	return is_in(sk, cong_state(sk), false);
}

SEC("tp_btf/tcp_retransmit_skb")
int BPF_PROG(resend__tp_btf, struct sock *sk)
{
	return is_in(sk, cong_state(sk), false);
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
