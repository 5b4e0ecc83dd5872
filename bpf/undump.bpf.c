// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* What processes receive on UNIX sockets. */
#include "events.h"
#include "filter.h"

#define AF_UNIX 1
#define DATA_MAX 16384

const volatile __u32 data_size = 256;	/* bytes that are kept of what is received at once */

struct event {
	EVENT_HEAD;
	bytes_t size;
	mark_t truncated;
	data_t data[sizeof(__u32) + DATA_MAX];
};

EVENT_RING(events, event);
SCRATCH(received_scratch, struct event, 1);

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct trace_event_raw_skb_copy_datagram_iovec {
	const void *skbaddr;
	int len;
};

struct sk_buff {
	struct sock *sk;
	unsigned char *data;
	unsigned int len;
	unsigned int data_len;
	char cb[48];
};

struct unix_skb_parms {
	__u32 consumed;
};

#pragma clang attribute pop

/* Of a stream a buffer may have been received in part: the kernel notes how much in it. */
SEC("tp/skb/skb_copy_datagram_iovec")
int received__tp(struct trace_event_raw_skb_copy_datagram_iovec *ctx)
{
	struct sk_buff *skb = (void *)ctx->skbaddr;
	__u64 id = bpf_get_current_pid_tgid();
	__u32 from = 0, linear, size = ctx->len;
	struct event *event;

	if (BPF_CORE_READ(skb, sk, __sk_common.skc_family) != AF_UNIX || !wanted_task(id))
		return 0;
	event = scratch(received_scratch, 0);
	if (!event)
		return 0;
	event_head(event, id);
	event->size = size;
	if (bpf_core_type_exists(struct unix_skb_parms))
		bpf_probe_read_kernel(&from, sizeof(from), (void *)skb + bpf_core_field_offset(struct sk_buff, cb) +
				      bpf_core_field_offset(struct unix_skb_parms, consumed));
	/* Only what is behind the header is in one piece; the rest of a long one is in pages. */
	linear = BPF_CORE_READ(skb, len) - BPF_CORE_READ(skb, data_len);
	linear = linear > from ? linear - from : 0;
	if (size > linear)
		size = linear;
	if (size > data_size)
		size = data_size;
	if (size > DATA_MAX)
		size = DATA_MAX;
	if (bpf_probe_read_kernel(event->data + sizeof(size), size, BPF_CORE_READ(skb, data) + from))
		size = 0;
	__builtin_memcpy(event->data, &size, sizeof(size));
	event->truncated = size < event->size;
	event_output(events, event, offsetof(struct event, data) + sizeof(size) + size);
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
