/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * What packets carry: the bytes behind their headers lie in pages of their own,
 * which a program that traces has no address of.
 */
#ifndef KSCOPE_PACKET_DATA_H
#define KSCOPE_PACKET_DATA_H

#include "core.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>

#define PAGE_BITS 12
#define MAX_FRAGMENTS 17

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct sk_buff;

struct page {
	unsigned long flags;
};

/* 21d2e6737c97 ("net: introduce abstraction for network memory", 6.9) */
struct skb_frag {
	unsigned long netmem;
	unsigned int len;
	unsigned int offset;
};

struct bio_vec___fragment {
	struct page *bv_page;
	unsigned int bv_len;
	unsigned int bv_offset;
};

struct skb_shared_info {
	__u8 nr_frags;
	struct skb_frag frags[MAX_FRAGMENTS];
};

struct sk_buff___data {
	unsigned char *head;
	unsigned char *data;
	unsigned int len;
	unsigned int data_len;
	unsigned int end;
};

#pragma clang attribute pop

/* Where x86 has memory and the descriptions of its pages; known by name where the kernel lists its data. */
extern const void vmemmap_base __ksym __weak;
extern const void page_offset_base __ksym __weak;

/* Where a page is, or NULL. */
static __always_inline const void *page_address(__u64 page)
{
	__u64 pages = 0, memory = 0;

	/* The lowest bit: memory of a device, which cannot be read. */
	if (!page || page & 1 || !&vmemmap_base || !&page_offset_base)
		return NULL;
	bpf_probe_read_kernel(&pages, sizeof(pages), &vmemmap_base);
	bpf_probe_read_kernel(&memory, sizeof(memory), &page_offset_base);
	if (!pages || !memory || page < pages)
		return NULL;
	return (const void *)(memory + ((page - pages) / bpf_core_type_size(struct page) << PAGE_BITS));
}

/* Copies to `room`, of twice `most` bytes: verifiers do not see that all parts together are no more than that. */
static __always_inline __u32 packet_append(__u8 *room, __u32 have, __u32 count, const void *from, const __u32 most)
{
	__u32 left = most - have;

	if (count > left)
		count = left;
	barrier_var(have);
	barrier_var(count);
	if (have > most || count > most || !from || bpf_probe_read_kernel(room + have, count, from))
		return have;
	return have + count;
}

/* What is in the pages of a packet, up to `wanted` bytes in all. Returns how many there are then. */
static __always_inline __u32 packet_fragments(__u8 *room, __u32 have, __u32 wanted, const struct sk_buff___data *skb,
					      const __u32 most)
{
	const void *info = BPF_CORE_READ(skb, head) + BPF_CORE_READ(skb, end);
	const void *fragments = info + bpf_core_field_offset(struct skb_shared_info, frags);
	__u32 count = BPF_CORE_READ((const struct skb_shared_info *)info, nr_frags);

	for (__u32 i = 0; i < MAX_FRAGMENTS && i < count && have < wanted; i++) {
		__u32 length, offset, before = have;
		const void *address;
		__u64 page;

		if (bpf_core_type_exists(struct skb_frag)) {
			const struct skb_frag *fragment = fragments + i * bpf_core_type_size(struct skb_frag);

			page = BPF_CORE_READ(fragment, netmem);
			length = BPF_CORE_READ(fragment, len);
			offset = BPF_CORE_READ(fragment, offset);
		} else {
			const struct bio_vec___fragment *fragment =
				fragments + i * bpf_core_type_size(struct bio_vec___fragment);

			page = (__u64)BPF_CORE_READ(fragment, bv_page);
			length = BPF_CORE_READ(fragment, bv_len);
			offset = BPF_CORE_READ(fragment, bv_offset);
		}
		address = page_address(page);
		if (!address)
			break;
		if (length > wanted - have)
			length = wanted - have;
		have = packet_append(room, have, length, address + offset, most);
		if (have == before)
			break;
	}
	return have;
}

struct bpf_dynptr {
	__u64 opaque[2];
} __attribute__((aligned(8)));

/* For tracing since 98e948fb60d4 ("bpf: Allow bpf_dynptr_from_skb() for tp_btf", 6.12) */
extern int bpf_dynptr_from_skb(struct sk_buff *skb, __u64 flags, struct bpf_dynptr *pointer) __ksym __weak;

/* The same by the kernel itself, of which `before` bytes are in front of what it takes for the packet. */
static __always_inline __u32 packet_rest(__u8 *room, __u32 have, __u32 wanted, struct sk_buff *skb, __u32 before,
					 const __u32 most)
{
	__u32 count = wanted - have;
	struct bpf_dynptr pointer;

	if (bpf_dynptr_from_skb(skb, 0, &pointer))
		return have;
	barrier_var(have);
	barrier_var(count);
	if (have > most || count > most || bpf_dynptr_read(room + have, count, &pointer, have - before, 0))
		return have;
	return have + count;
}

#endif
