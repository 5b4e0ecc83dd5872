// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* What is sent to and received from subnets by TCP. */
#define TRAFFIC_PROTOCOL IPPROTO_TCP
#include "table.h"
#include "traffic.h"

#define MAX_SUBNETS 64

struct subnet {
	ip_t network[16];
	ip_t mask[16];
	__u8 prefix;		/* as people write it */
	ip_version_t ip;
};

/* The first that an address is in is the one that counts. */
const volatile struct subnet subnets[MAX_SUBNETS] = {};
const volatile __u32 subnet_count = 0;

struct key {
	ip_t network[16];
	__u8 prefix;
};

struct amounts {
	bytes_t tx;
	bytes_t rx;
};

TABLE(amounts, struct key, struct amounts, MAX_SUBNETS);

static __always_inline bool is_in(const volatile struct subnet *subnet, const ip_t ip[16])
{
	__u8 different = 0;

	for (int i = 0; i < 16; i++)
		different |= (ip[i] & subnet->mask[i]) ^ subnet->network[i];
	return !different;
}

static __always_inline void moved(struct sock *sk, __u32 bytes, bool sent)
{
	ip_t local[16], remote[16];
	struct amounts *row;
	struct key key = {};
	__u8 ip = sock_addresses(sk, local, remote);

	if (!ip || (filter_family && ip != filter_family))
		return;
	for (int i = 0; i < MAX_SUBNETS && i < subnet_count; i++) {
		if (subnets[i].ip != ip || !is_in(&subnets[i], remote))
			continue;
		for (int j = 0; j < 16; j++)
			key.network[j] = subnets[i].network[j];
		key.prefix = subnets[i].prefix;
		row = table_row(amounts, &key);
		if (row)
			__sync_fetch_and_add(sent ? &row->tx : &row->rx, bytes);
		return;
	}
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
