// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * TCP connections that this host opens. There are three ways to see them, of
 * which one is attached:
 *
 * kprobe and kretprobe, or fexit, of tcp_v4_connect and tcp_v6_connect: a row
 * for each call that sent its SYN, with the local port.
 *
 * The socket's change of state to SYN_SENT, in the thread that connects, for
 * kernels that allow neither. It comes just before the local port is chosen.
 * With want_lport the row is kept until the next change of state tells it.
 */
#include "core.h"
#include "events.h"
#include "filter.h"
#include "ip.h"
#include "probe.h"
#include "tcp-state.h"

#define FILTER_PORTS 64

const volatile port_t filter_ports[FILTER_PORTS] = {};	/* destination ports */
const volatile __u32 filter_port_count = 0;
const volatile __u8 filter_family = 0;			/* 4 or 6, compared with `ip` */
const volatile bool want_lport = false;			/* fexit and kprobes have it anyway */

struct event {
	EVENT_HEAD;
	ip_version_t ip;		/* 4 or 6: what is spoken, not what the socket was made for */
	ip_t saddr[16];
	port_t lport;
	ip_t daddr[16];
	port_t dport;
	cgroup_id_t cgroup;
};

EVENT_RING(events, event);
ENTRY_MAP(connect_entries, struct sock *);

/*
 * Rows that wait for their local port, by socket. A row may stay: programs do
 * not nest, so a change of state in an interrupt can be missed. User space
 * takes what is left at the end.
 */
COUNTED_MAP(connecting, BPF_MAP_TYPE_HASH, __u64, struct event, 16384);

static __always_inline bool wanted_port(port_t port)
{
	if (!filter_port_count)
		return true;
	for (__u32 i = 0; i < FILTER_PORTS && i < filter_port_count; i++)
		if (filter_ports[i] == port)
			return true;
	return false;
}

/* Fills the row, but for the local port, and tells whether it is wanted. */
static __always_inline bool connection(struct event *event, const struct sock *sk)
{
	__u64 id = bpf_get_current_pid_tgid();

	__builtin_memset(event, 0, sizeof(*event));
	event->dport = sock_remote_port(sk);
	if (!wanted_port(event->dport))
		return false;
	event->ip = sock_addresses(sk, event->saddr, event->daddr);
	if (!event->ip || (filter_family && event->ip != filter_family))
		return false;
	event_head(event, id);
	event->cgroup = bpf_get_current_cgroup_id();
	return true;
}

/*
 * tcp_v6_connect() calls tcp_v4_connect() for IPv4-mapped addresses. Each
 * function answers for the sockets of its own family, so one call is one row.
 */
static __always_inline bool is_family(const struct sock *sk, __u16 family)
{
	return BPF_CORE_READ(sk, __sk_common.skc_family) == family;
}

static __always_inline int connected(const struct sock *sk, int error)
{
	struct event event;

	if (error || !connection(&event, sk))
		return 0;
	event.lport = sock_local_port(sk);
	event_output(events, &event, sizeof(event));
	return 0;
}

static __always_inline int fexit_connect(const struct sock *sk, int error, __u16 family)
{
	if (!is_family(sk, family) || !wanted_task(bpf_get_current_pid_tgid()))
		return 0;
	return connected(sk, error);
}

static __always_inline int enter_connect(struct sock *sk, __u16 family)
{
	if (is_family(sk, family) && wanted_task(bpf_get_current_pid_tgid()))
		entry_keep(connect_entries, &sk);
	return 0;
}

static __always_inline int leave_connect(int error, __u16 family)
{
	struct sock **entry = entry_find(connect_entries), *sk;

	if (!entry)
		return 0;
	sk = *entry;
	if (!is_family(sk, family))
		return 0;
	entry_forget(connect_entries);
	return connected(sk, error);
}

SEC("fexit/tcp_v4_connect")
int BPF_PROG(tcp_v4_connect__fexit, struct sock *sk, void *address, int length, int error)
{
	return fexit_connect(sk, error, AF_INET);
}

SEC("fexit/tcp_v6_connect")
int BPF_PROG(tcp_v6_connect__fexit, struct sock *sk, void *address, int length, int error)
{
	return fexit_connect(sk, error, AF_INET6);
}

SEC("kprobe/tcp_v4_connect")
int BPF_KPROBE(tcp_v4_connect__kprobe, struct sock *sk)
{
	return enter_connect(sk, AF_INET);
}

SEC("kretprobe/tcp_v4_connect")
int BPF_KRETPROBE(tcp_v4_connect__kretprobe, int error)
{
	return leave_connect(error, AF_INET);
}

SEC("kprobe/tcp_v6_connect")
int BPF_KPROBE(tcp_v6_connect__kprobe, struct sock *sk)
{
	return enter_connect(sk, AF_INET6);
}

SEC("kretprobe/tcp_v6_connect")
int BPF_KRETPROBE(tcp_v6_connect__kretprobe, int error)
{
	return leave_connect(error, AF_INET6);
}

static __always_inline int syn_sent(const struct sock *sk)
{
	struct event event, *earlier;
	__u64 key = (__u64)sk;

	if (!wanted_task(bpf_get_current_pid_tgid()) || !connection(&event, sk))
		return 0;
	/* A port that was chosen with bind(2) is known already. */
	event.lport = sock_local_port(sk);
	if (want_lport && !event.lport) {
		/* The answer to this one was missed; the kernel has used the socket's memory again. */
		earlier = bpf_map_lookup_elem(&connecting, &key);
		if (earlier)
			event_output(events, earlier, sizeof(*earlier));
		if (!bpf_map_update_elem(&connecting, &key, &event, BPF_ANY))
			return 0;
		COUNT_DROPPED(connecting);
	}
	event_output(events, &event, sizeof(event));
	return 0;
}

static __always_inline int syn_answered(const struct sock *sk)
{
	const struct inet_sock *inet = (const void *)sk;
	__u64 key = (__u64)sk;
	struct event *event = bpf_map_lookup_elem(&connecting, &key);

	if (!event)
		return 0;
	/* skc_num is 0 again when the connection was refused. */
	event->lport = bpf_ntohs(BPF_CORE_READ(inet, inet_sport));
	/* Without a port no SYN was sent: connect(2) fails right here. */
	if (event->lport)
		event_output(events, event, sizeof(*event));
	bpf_map_delete_elem(&connecting, &key);
	return 0;
}

static __always_inline int state_changes(const struct sock *sk, int from, int to)
{
	if (from == CLOSE && to == SYN_SENT)
		return syn_sent(sk);
	if (want_lport && from == SYN_SENT)
		return syn_answered(sk);
	return 0;
}

AT_TCP_STATE(state_changes)

/* Answers of name servers, for who wants the names of addresses. */
#define MAX_ANSWER 1232
#define DNS_PORT 53
#define DNS_HEADER 12
#define IPPROTO_UDP 17

struct answer {
	data_t data[sizeof(__u32) + MAX_ANSWER];
};

EVENT_RING(answers, answer);
SCRATCH(answer_room, struct answer, 1);

/*
 * Packets that a socket gets, from the header of IP on. Processes read them
 * afterwards, so that the name is known when they connect.
 */
SEC("cgroup_skb/ingress")
int answer__cgroup(void *ctx)
{
	struct answer *answer = scratch(answer_room, 0);
	__u8 ip[20];
	__be16 udp[4];
	__u32 offset, length;

	if (!answer || bpf_skb_load_bytes(ctx, 0, ip, sizeof(ip)))
		return 1;
	offset = ip[0] >> 4 == 4 ? (ip[0] & 0xf) * 4 : 40;
	if ((ip[0] >> 4 == 4 ? ip[9] : ip[6]) != IPPROTO_UDP)
		return 1;
	if (bpf_skb_load_bytes(ctx, offset, udp, sizeof(udp)) || udp[0] != bpf_htons(DNS_PORT))
		return 1;
	length = bpf_ntohs(udp[2]) - sizeof(udp);
	/* One after the other: old verifiers learn nothing from a range, and nothing from what is not 0. */
	if (length < DNS_HEADER)
		return 1;
	barrier_var(length);
	if (length > MAX_ANSWER)
		length = MAX_ANSWER;
	if (bpf_skb_load_bytes(ctx, offset + sizeof(udp), answer->data + sizeof(__u32), length))
		return 1;
	*(__u32 *)answer->data = length;
	event_output(answers, answer, sizeof(__u32) + length);
	return 1;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
