// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* What each process sends and receives on each TCP connection. */
#define TRAFFIC_PROTOCOL IPPROTO_TCP
#include "traffic.h"

struct key {
	pid_t pid;
	__u8 ip;
	ip_t saddr[16];
	port_t lport;
	ip_t daddr[16];
	port_t dport;
};

struct amounts {
	comm_t comm[16];
	bytes_t rx;
	bytes_t tx;
};

/* Connections come and go; those that were quiet for longest make room. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 16384);
	__type(key, struct key);
	__type(value, struct amounts);
} connections SEC(".maps");
DROP_COUNTER(connections);

static __always_inline void moved(struct sock *sk, __u32 bytes, bool sent)
{
	struct amounts *amounts, empty = {};
	struct key key = {};

	key.pid = bpf_get_current_pid_tgid() >> 32;
	if (!tcp_ends(&key, sk))
		return;
	amounts = bpf_map_lookup_elem(&connections, &key);
	if (!amounts) {
		bpf_get_current_comm(empty.comm, sizeof(empty.comm));
		bpf_map_update_elem(&connections, &key, &empty, BPF_NOEXIST);
		amounts = bpf_map_lookup_elem(&connections, &key);
	}
	if (!amounts)
		COUNT_DROPPED(connections);
	else
		__sync_fetch_and_add(sent ? &amounts->tx : &amounts->rx, bytes);
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
