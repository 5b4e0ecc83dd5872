// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* What each process sends and receives through each UDP socket. */
#include "core.h"
#define IPPROTO_UDP 17
#define TRAFFIC_PROTOCOL IPPROTO_UDP
#include "traffic.h"

struct amounts {
	comm_t comm[16];
	bytes_t rx;
	bytes_t tx;
	count_t rx_packets;
	count_t tx_packets;
};

TRAFFIC_MAP(sockets, struct amounts);

static __always_inline void moved(struct sock *sk, __u32 bytes, bool sent)
{
	struct amounts *amounts;
	struct traffic_key key;

	if (!traffic_key(&key, sk))
		return;
	amounts = traffic_entry(sockets, &key);
	if (!amounts)
		return;
	__sync_fetch_and_add(sent ? &amounts->tx : &amounts->rx, bytes);
	__sync_fetch_and_add(sent ? &amounts->tx_packets : &amounts->rx_packets, 1);
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
