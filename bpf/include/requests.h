/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Requests of block devices from the task that asks for them to their end. The
 * programs are here; a tool that includes this says what it does at the two
 * places that matter, with request_seen() and request_done().
 *
 * Each request has an address of its own until it completes. It is given to
 * the driver again when the driver did not want it, and completes in parts
 * where the driver says so. One that is merged into another one is no more;
 * the tasks behind it are forgotten.
 */
#ifndef KSCOPE_REQUESTS_H
#define KSCOPE_REQUESTS_H

#include "block.h"
#include "events.h"
#include "owner.h"
#include "stack.h"
#include <bpf/bpf_tracing.h>

struct pending {
	__u64 seen;		/* when it was made, or queued, or issued: whatever came first */
	__u64 issued;		/* when it was last given to the driver; 0: not yet */
	sector_t sector;	/* as it was when it was first issued */
	__u64 bytes;		/* completed so far, with errors or without */
	stack_id_t stack;	/* for the tool */
	struct owner owner;
};

COUNTED_MAP(requests, BPF_MAP_TYPE_HASH, __u64, struct pending, 65536);

/* The request is new, and the current task is the one that asks, as far as that is known. */
static __always_inline void request_seen(void *ctx, struct pending *pending);

/* It has completed after it was issued, and the owner passed the filters; failed: with an error. */
static __always_inline void request_done(struct request *rq, struct pending *pending, __u64 now, bool failed);

static __always_inline struct pending *find_pending(struct request *rq)
{
	__u64 address = (__u64)rq;

	return bpf_map_lookup_elem(&requests, &address);
}

static __always_inline void forget_pending(struct request *rq)
{
	__u64 address = (__u64)rq;

	bpf_map_delete_elem(&requests, &address);
}

static __always_inline struct pending *add_pending(void *ctx, struct request *rq)
{
	__u64 address = (__u64)rq;
	struct pending pending = {};

	if (filter_disk && request_disk(rq) != filter_disk)
		return NULL;
	owner_is_current(&pending.owner);
	/* Kept even when it is not wanted: later hooks, in other tasks, must not take it for new. */
	if (pending.owner.wanted)
		request_seen(ctx, &pending);
	pending.seen = bpf_ktime_get_ns();
	if (bpf_map_update_elem(&requests, &address, &pending, BPF_ANY))
		COUNT_DROPPED(requests);
	return bpf_map_lookup_elem(&requests, &address);
}

/*
 * In the task that asks. 5a80bd075f3b ("block: introduce block_io_start/block_io_done
 * tracepoints", 6.5)
 */
SEC("tp_btf/block_io_start")
int BPF_PROG(block_io_start__tp_btf, struct request *rq)
{
	add_pending(ctx, rq);
	return 0;
}

/* Before there was that, mostly in that task as well. One that was issued comes back to the queue. */
SEC("tp_btf/block_rq_insert")
int block_rq_insert__tp_btf(__u64 *ctx)
{
	struct request *rq = traced_request(ctx);
	struct pending *pending = find_pending(rq);

	if (!pending || !pending->issued)
		add_pending(ctx, rq);
	return 0;
}

SEC("tp_btf/block_rq_issue")
int block_rq_issue__tp_btf(__u64 *ctx)
{
	struct request *rq = traced_request(ctx);
	struct pending *pending = find_pending(rq);

	if (!pending)
		pending = add_pending(ctx, rq);
	if (!pending)
		return 0;
	if (!pending->issued)
		pending->sector = BPF_CORE_READ(rq, __sector);
	pending->issued = bpf_ktime_get_ns();
	return 0;
}

SEC("tp_btf/block_rq_merge")
int block_rq_merge__tp_btf(__u64 *ctx)
{
	forget_pending(traced_request(ctx));
	return 0;
}

SEC("tp_btf/block_rq_complete")
int BPF_PROG(block_rq_complete__tp_btf, struct request *rq, int error, unsigned int bytes)
{
	__u64 now = bpf_ktime_get_ns();
	struct pending *pending = find_pending(rq);

	if (!pending)
		return 0;
	pending->bytes += bytes;
	if (bytes < BPF_CORE_READ(rq, __data_len))
		return 0;
	if (pending->owner.wanted && pending->issued && now >= pending->issued)
		request_done(rq, pending, now, error);
	forget_pending(rq);
	return 0;
}

#endif
