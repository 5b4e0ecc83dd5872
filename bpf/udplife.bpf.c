// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* UDP sockets that are closed: how long they lived, and how much they carried. */
#include "core.h"
#define IPPROTO_UDP 17
#define TRAFFIC_PROTOCOL IPPROTO_UDP
#define TRAFFIC_OF_ALL
#include "events.h"
#include "owner.h"
#include "syscall-exit.h"
#include "traffic.h"

const volatile port_t filter_lports[FILTER_PORTS] = {};
const volatile port_t filter_dports[FILTER_PORTS] = {};

struct event {
	boot_ns_t time;
	pid_t pid;
	comm_t comm[16];
	ip_version_t ip;
	ip_t saddr[16];
	port_t lport;
	maybe_ip_t daddr[16];	/* absent for sockets that are not connected */
	port_t dport;
	bytes_t tx;
	bytes_t rx;
	count_t tx_packets;
	count_t rx_packets;
	ns_t duration;
};

EVENT_RING(events, event);

struct session {
	__u64 birth;
	__u64 tx;
	__u64 rx;
	__u64 tx_packets;
	__u64 rx_packets;
	struct owner owner;
};

COUNTED_MAP(sessions, BPF_MAP_TYPE_HASH, __u64, struct session, MAX_SOCKETS);

SEC("tp/syscalls/sys_exit_socket")
int socket__tp(struct syscall_trace_exit *ctx)
{
	long fd = syscall_result(ctx);
	struct sock *sk = fd < 0 ? NULL : fd_socket(fd);
	struct session session = {};
	__u64 key = (__u64)sk;
	__u16 family;

	if (!sk || BPF_CORE_READ(sk, sk_protocol) != IPPROTO_UDP)
		return 0;
	family = BPF_CORE_READ(sk, __sk_common.skc_family);
	if (family != AF_INET && family != AF_INET6)
		return 0;
	owner_is_current(&session.owner);
	if (!session.owner.wanted) {
		/* The memory may have been a socket's that was wanted, and whose end was missed. */
		bpf_map_delete_elem(&sessions, &key);
		return 0;
	}
	session.birth = bpf_ktime_get_boot_ns();
	if (bpf_map_update_elem(&sessions, &key, &session, BPF_ANY))
		COUNT_DROPPED(sessions);
	return 0;
}

static __always_inline void moved(struct sock *sk, __u32 bytes, bool sent)
{
	__u64 key = (__u64)sk;
	struct session *session = bpf_map_lookup_elem(&sessions, &key);

	if (!session)
		return;
	__sync_fetch_and_add(sent ? &session->tx : &session->rx, bytes);
	__sync_fetch_and_add(sent ? &session->tx_packets : &session->rx_packets, 1);
}

static __always_inline int closed(const struct sock *sk)
{
	__u64 key = (__u64)sk;
	struct session *session = bpf_map_lookup_elem(&sessions, &key);
	struct event *event;

	if (!session)
		return 0;
	event = event_reserve(events, event);
	if (event) {
		event->time = bpf_ktime_get_boot_ns();
		copy_owner(event, &session->owner);
		event->tx = session->tx;
		event->rx = session->rx;
		event->tx_packets = session->tx_packets;
		event->rx_packets = session->rx_packets;
		event->duration = event->time - session->birth;
		if (tcp_ends(event, sk) && wanted_port(filter_lports, event->lport) &&
		    wanted_port(filter_dports, event->dport)) {
			if (!event->dport)
				__builtin_memset(event->daddr, 0, sizeof(event->daddr));
			event_submit(event);
		} else {
			event_discard(event);
		}
	}
	bpf_map_delete_elem(&sessions, &key);
	return 0;
}

SEC("fentry/inet_release")
int BPF_PROG(released__fentry, struct socket *socket)
{
	return closed(BPF_CORE_READ(socket, sk));
}

SEC("kprobe/inet_release")
int BPF_KPROBE(released__kprobe, struct socket *socket)
{
	return closed(BPF_CORE_READ(socket, sk));
}

/* At the beginning of the same function. The context is the socket. */
SEC("cgroup/sock_release")
int released__cgroup(struct sock *ctx)
{
	closed(ctx);
	return 1;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
