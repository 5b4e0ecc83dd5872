// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* Packets by queue of the network interface, and how large they are. */
#include "events.h"
#include "skb.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

const volatile text_t filter_interface[16] = {};

enum direction {
	TX,
	RX,
};

struct key {
	enum direction direction;
	__u32 queue;
	text_t interface[16];
};

struct traffic {
	bytes_t bytes;
	count_t packets;
	count_t below_64;
	count_t below_512;
	count_t below_2k;
	count_t below_16k;
	count_t larger;
};

COUNTED_MAP(queues, BPF_MAP_TYPE_PERCPU_HASH, struct key, struct traffic, 16384);

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct sk_buff___queued {
	unsigned int len;
	__u16 queue_mapping;
	struct net_device *dev;
};

#pragma clang attribute pop

static __always_inline int count(const struct sk_buff___queued *skb, enum direction direction)
{
	struct traffic *traffic, empty = {};
	struct key key = { .direction = direction };
	__u32 length = BPF_CORE_READ(skb, len);

	bpf_probe_read_kernel_str(key.interface, sizeof(key.interface), BPF_CORE_READ(skb, dev, name));
	if (!wanted_interface(filter_interface, key.interface))
		return 0;
	key.queue = BPF_CORE_READ(skb, queue_mapping);
	/* What was received has the number of its queue plus one, or 0 where the driver does not tell. */
	if (direction == RX && key.queue)
		key.queue--;
	traffic = bpf_map_lookup_elem(&queues, &key);
	if (!traffic) {
		bpf_map_update_elem(&queues, &key, &empty, BPF_NOEXIST);
		traffic = bpf_map_lookup_elem(&queues, &key);
	}
	if (!traffic) {
		COUNT_DROPPED(queues);
		return 0;
	}
	__sync_fetch_and_add(&traffic->bytes, length);
	__sync_fetch_and_add(&traffic->packets, 1);
	if (length < 64)
		__sync_fetch_and_add(&traffic->below_64, 1);
	else if (length < 512)
		__sync_fetch_and_add(&traffic->below_512, 1);
	else if (length < 2048)
		__sync_fetch_and_add(&traffic->below_2k, 1);
	else if (length < 16384)
		__sync_fetch_and_add(&traffic->below_16k, 1);
	else
		__sync_fetch_and_add(&traffic->larger, 1);
	return 0;
}

SEC("tp_btf/net_dev_start_xmit")
int BPF_PROG(sent__tp_btf, const struct sk_buff___queued *skb)
{
	return count(skb, TX);
}

SEC("tp_btf/netif_receive_skb")
int BPF_PROG(received__tp_btf, const struct sk_buff___queued *skb)
{
	return count(skb, RX);
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
