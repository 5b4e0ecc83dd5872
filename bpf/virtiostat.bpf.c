// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* What the queues of virtio devices carry. */
#include "core.h"
#include "table.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_tracing.h>

const volatile text_t filter_driver[32] = {};
const volatile text_t filter_device[32] = {};

/* Of a request with more pieces the rest is left out, and the request counted as dropped. */
#define MOST_PIECES 4096

struct key {
	text_t driver[32];
	text_t device[32];
	text_t virtqueue[32];
};

struct value {
	count_t requests;
	count_t in_sgs;
	count_t out_sgs;
	bytes_t in_bytes;
	bytes_t out_bytes;
};

TABLE(traffic, struct key, struct value, 4096);

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct scatterlist {
	unsigned long page_link;
	unsigned int length;
};

struct device_driver {
	const char *name;
};

struct kobject {
	const char *name;
};

struct device {
	struct kobject kobj;
	struct device_driver *driver;
};

struct virtio_device {
	struct device dev;
};

struct virtqueue {
	const char *name;
	struct virtio_device *vdev;
};

#pragma clang attribute pop

/* The low bits of page_link: the entry is a pointer to more of the list, or the last one. */
#define SG_CHAIN 1UL
#define SG_END 2UL

static __always_inline bool differs(const char name[32], const volatile char wanted[32])
{
	if (!wanted[0])
		return false;
	for (int i = 0; i < 32; i++) {
		if (name[i] != wanted[i])
			return true;
		if (!name[i])
			break;
	}
	return false;
}

/*
 * What is read are lists of pieces: one at `at`, and then where the pointers behind `lists` lead. Those before `ins` are
 * outgoing, and the last is before `end`.
 */
struct walk {
	__u64 at;
	__u64 lists;
	__u64 ins;
	__u64 end;
	struct value sum;
	bool whole;
};

static long read_piece(__u32 index, struct walk *walk)
{
	struct scatterlist *piece = (void *)walk->at;
	unsigned long link = BPF_CORE_READ(piece, page_link);
	__u32 length = BPF_CORE_READ(piece, length);

	if (link & SG_CHAIN) {
		walk->at = link & ~(SG_CHAIN | SG_END);
		return 0;
	}
	if (walk->lists < walk->ins) {
		walk->sum.out_bytes += length;
		walk->sum.out_sgs++;
	} else {
		walk->sum.in_bytes += length;
		walk->sum.in_sgs++;
	}
	if (!(link & SG_END)) {
		walk->at += bpf_core_type_size(struct scatterlist);
		return 0;
	}
	walk->lists += sizeof(void *);
	walk->whole = walk->lists >= walk->end;
	if (!walk->whole)
		bpf_probe_read_kernel(&walk->at, sizeof(walk->at), (void *)walk->lists);
	return walk->whole;
}

static __always_inline int count(struct virtqueue *queue, struct walk walk)
{
	struct virtio_device *device = BPF_CORE_READ(queue, vdev);
	struct key key = {};
	struct value *value;

	bpf_probe_read_kernel_str(key.driver, sizeof(key.driver), BPF_CORE_READ(device, dev.driver, name));
	bpf_probe_read_kernel_str(key.device, sizeof(key.device), BPF_CORE_READ(device, dev.kobj.name));
	if (differs(key.driver, filter_driver) || differs(key.device, filter_device))
		return 0;
	bpf_probe_read_kernel_str(key.virtqueue, sizeof(key.virtqueue), BPF_CORE_READ(queue, name));
	value = table_row(traffic, &key);
	if (!value)
		return 0;
	bpf_loop(MOST_PIECES, read_piece, &walk, 0);
	if (!walk.whole)
		COUNT_DROPPED(traffic);
	__sync_fetch_and_add(&value->requests, 1);
	__sync_fetch_and_add(&value->out_sgs, walk.sum.out_sgs);
	__sync_fetch_and_add(&value->out_bytes, walk.sum.out_bytes);
	__sync_fetch_and_add(&value->in_sgs, walk.sum.in_sgs);
	__sync_fetch_and_add(&value->in_bytes, walk.sum.in_bytes);
	return 0;
}

static __always_inline int count_lists(__u64 queue, __u64 lists, __u32 outs, __u32 ins)
{
	struct walk walk = {
		.lists = lists, .ins = lists + outs * sizeof(void *), .end = lists + (outs + ins) * sizeof(void *),
	};

	bpf_probe_read_kernel(&walk.at, sizeof(walk.at), (void *)lists);
	return count((void *)queue, walk);
}

static __always_inline int count_list(__u64 queue, __u64 list, bool out)
{
	struct walk walk = { .at = list, .lists = list, .ins = list + out, .end = list };

	return count((void *)queue, walk);
}

static __always_inline __u64 argument(__u64 *ctx, __u32 number)
{
	__u64 value = 0;

	/* Some kernels do not let a pointer to pointers be read from the context. */
	bpf_get_func_arg(ctx, number, &value);
	return value;
}

static __always_inline bool failed(__u64 *ctx)
{
	__u64 result = 0;

	return bpf_get_func_ret(ctx, &result) == 0 && (int)result != 0;
}

/* With fexit what the queue had no room for is left out. */
#define ADDS(name, body)						\
SEC("fexit/virtqueue_" #name)						\
int name##__fexit(__u64 *ctx)						\
{									\
	return failed(ctx) ? 0 : body(argument(ctx, 0), argument(ctx, 1), argument(ctx, 2), argument(ctx, 3)); \
}									\
									\
SEC("kprobe/virtqueue_" #name)						\
int name##__kprobe(struct pt_regs *ctx)					\
{									\
	return body(PT_REGS_PARM1(ctx), PT_REGS_PARM2(ctx), PT_REGS_PARM3(ctx), PT_REGS_PARM4(ctx)); \
}

#define outgoing(queue, list, entries, data) count_list(queue, list, true)
#define incoming(queue, list, entries, data) count_list(queue, list, false)

ADDS(add_sgs, count_lists)
ADDS(add_outbuf, outgoing)
ADDS(add_inbuf, incoming)
ADDS(add_inbuf_ctx, incoming)
ADDS(add_outbuf_premapped, outgoing)
ADDS(add_inbuf_premapped, incoming)

char LICENSE[] SEC("license") = "Dual BSD/GPL";
