// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* How long packets wait in the queueing disciplines of network interfaces. */
#include "hist.h"
#include "skb.h"
#include <bpf/bpf_tracing.h>

#define MAX_AT_ONCE 64

const volatile text_t filter_interface[16] = {};
const volatile __u32 filter_ifindex = 0;
const volatile bool by_interface = false;
const volatile bool by_kind = false;

struct key {
	text_t interface[16];
	text_t kind[16];
};

HISTOGRAMS(hists, struct key, 4096);

/*
 * What waits, by the packet. Packets that are dropped there stay until their
 * place is wanted; `head` tells another one apart that has the same address.
 */
struct waiting {
	__u64 since;
	void *head;
};

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 65536);
	__type(key, __u64);
	__type(value, struct waiting);
} packets SEC(".maps");

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct Qdisc_ops {
	char id[16];
};

struct Qdisc {
	const struct Qdisc_ops *ops;
};

struct net_device___index {
	int ifindex;
};

struct netdev_queue {
	struct net_device___index *dev;
};

struct sk_buff___queued {
	struct sk_buff___queued *next;
	unsigned char *head;
	struct net_device *dev;
};

#pragma clang attribute pop

static __always_inline int begins(const struct sk_buff___queued *skb, __u32 ifindex)
{
	struct waiting waiting = { .since = bpf_ktime_get_ns(), .head = BPF_CORE_READ(skb, head) };
	__u64 key = (__u64)skb;

	if (!filter_ifindex || ifindex == filter_ifindex)
		bpf_map_update_elem(&packets, &key, &waiting, BPF_ANY);
	return 0;
}

/*
 * Packets are put in and taken out in interrupts as well, where the kernel
 * leaves out programs of plain tracepoints when it was one that was interrupted.
 *
 * 70713dddf3d2 ("net_sched: introduce tracepoint trace_qdisc_enqueue()", 5.14)
 */
SEC("tp_btf/qdisc_enqueue")
int BPF_PROG(enqueued__tp_btf, struct Qdisc *qdisc, const struct netdev_queue *queue,
	     const struct sk_buff___queued *skb)
{
	return begins(skb, BPF_CORE_READ(queue, dev, ifindex));
}

/* Before that, the packet is known when it comes to the interface, whether it will be queued or not. */
SEC("tp_btf/net_dev_queue")
int BPF_PROG(came__tp_btf, const struct sk_buff___queued *skb)
{
	const struct net_device___index *dev = (const void *)BPF_CORE_READ(skb, dev);

	return begins(skb, BPF_CORE_READ(dev, ifindex));
}

static __always_inline void ends(const struct sk_buff___queued *skb, __u64 now, const struct key *key)
{
	__u64 address = (__u64)skb;
	struct waiting *waiting = bpf_map_lookup_elem(&packets, &address);

	if (!waiting)
		return;
	if (waiting->head == BPF_CORE_READ(skb, head))
		hist_add(hists, key, now - waiting->since);
	bpf_map_delete_elem(&packets, &address);
}

SEC("tp_btf/qdisc_dequeue")
int BPF_PROG(dequeued__tp_btf, struct Qdisc *qdisc, const struct netdev_queue *queue, int count)
{
	const struct sk_buff___queued *skb = maybe_null(&ctx[3]);
	__u64 now = bpf_ktime_get_ns();
	char interface[16] = {};
	struct key key = {};

	/* An empty queue is asked as well. */
	if (!skb || count < 1 || (filter_ifindex && BPF_CORE_READ(queue, dev, ifindex) != filter_ifindex))
		return 0;
	if (by_interface || filter_interface[0]) {
		bpf_probe_read_kernel_str(interface, sizeof(interface), BPF_CORE_READ(skb, dev, name));
		if (!wanted_interface(filter_interface, interface))
			return 0;
	}
	if (by_interface)
		__builtin_memcpy(key.interface, interface, sizeof(interface));
	if (by_kind)
		bpf_probe_read_kernel_str(key.kind, sizeof(key.kind), BPF_CORE_READ(qdisc, ops, id));
	/* Several packets come as a list. */
	for (int i = 0; i < MAX_AT_ONCE && skb; i++) {
		ends(skb, now, &key);
		skb = BPF_CORE_READ(skb, next);
	}
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
