// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* What each process sends and receives on each TCP connection. */
#define TRAFFIC_PROTOCOL IPPROTO_TCP
#include "traffic.h"

struct amounts {
	comm_t comm[16];
	bytes_t rx;
	bytes_t tx;
};

TRAFFIC_MAP(connections, struct amounts);

static __always_inline void moved(struct sock *sk, __u32 bytes, bool sent)
{
	struct amounts *amounts;
	struct traffic_key key;

	if (!traffic_key(&key, sk))
		return;
	amounts = traffic_entry(connections, &key);
	if (amounts)
		__sync_fetch_and_add(sent ? &amounts->tx : &amounts->rx, bytes);
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
