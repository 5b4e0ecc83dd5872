// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* How long requests to block devices take. */
#include "block.h"
#include "core.h"
#include "filter.h"
#include "hist.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_tracing.h>

const volatile bool queued = false;
const volatile bool by_disk = false;
const volatile bool by_flags = false;

struct key {
	dev_t dev;
	__u32 cmd_flags;
};

HISTOGRAMS(hists, struct key, 10240);

/* Requests on their way, by address. */
struct start {
	__u64 time;
	bool issued;	/* to the driver; one that it gives back is queued again, by others */
	bool wanted;	/* decided where the task that asked for it is known best: at the first sight */
};

COUNTED_MAP(requests, BPF_MAP_TYPE_HASH, __u64, struct start, 65536);

static __always_inline void begin(struct request *rq, bool issued)
{
	__u64 address = (__u64)rq;
	struct start start = { .issued = issued };

	start.wanted = wanted_task(bpf_get_current_pid_tgid()) && (!filter_disk || request_disk(rq) == filter_disk);
	start.time = bpf_ktime_get_ns();
	if (bpf_map_update_elem(&requests, &address, &start, BPF_ANY))
		COUNT_DROPPED(requests);
}

SEC("tp_btf/block_rq_insert")
int block_rq_insert__tp_btf(__u64 *ctx)
{
	struct request *rq = traced_request(ctx);
	__u64 address = (__u64)rq;
	struct start *start = bpf_map_lookup_elem(&requests, &address);

	if (!start || !start->issued)
		begin(rq, false);
	return 0;
}

SEC("tp_btf/block_rq_issue")
int block_rq_issue__tp_btf(__u64 *ctx)
{
	struct request *rq = traced_request(ctx);
	__u64 address = (__u64)rq;
	struct start *start = bpf_map_lookup_elem(&requests, &address);

	if (!start) {
		begin(rq, true);
		return 0;
	}
	start->issued = true;
	if (!queued)
		start->time = bpf_ktime_get_ns();
	return 0;
}

/* Merged into another one, with which it completes. */
SEC("tp_btf/block_rq_merge")
int block_rq_merge__tp_btf(__u64 *ctx)
{
	__u64 address = (__u64)traced_request(ctx);

	bpf_map_delete_elem(&requests, &address);
	return 0;
}

SEC("tp_btf/block_rq_complete")
int BPF_PROG(block_rq_complete__tp_btf, struct request *rq, int error, unsigned int bytes)
{
	__u64 now = bpf_ktime_get_ns();
	__u64 address = (__u64)rq;
	struct start *start;
	struct key key = {};

	/* A part of it; the rest comes later. */
	if (bytes < BPF_CORE_READ(rq, __data_len))
		return 0;
	start = bpf_map_lookup_elem(&requests, &address);
	if (!start)
		return 0;
	if (start->wanted && now >= start->time) {
		if (by_disk)
			key.dev = request_disk(rq);
		if (by_flags)
			key.cmd_flags = BPF_CORE_READ(rq, cmd_flags);
		hist_add(hists, &key, now - start->time);
	}
	bpf_map_delete_elem(&requests, &address);
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
