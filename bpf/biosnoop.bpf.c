// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* Each request to a block device. */
#include "core.h"
#include "events.h"
#include "requests.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>

#define SECTOR_BITS 9

const volatile ns_t min_latency = 0;

enum pattern {
	unknown,
	random,
	sequential,
};

struct event {
	boot_ns_t time;
	maybe_pid_t pid;
	maybe_comm_t comm[16];
	dev_t dev;
	__u32 cmd_flags;
	sector_t sector;
	bytes_t bytes;
	enum pattern pattern;
	mark_t failed;
	ns_t queued;
	ns_t latency;
};

EVENT_RING(events, event);

/* Where the next request is sequential, by disk and operation. */
struct stream {
	dev_t dev;
	__u32 operation;
};

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 1024);
	__type(key, struct stream);
	__type(value, sector_t);
} ends SEC(".maps");

static __always_inline void request_seen(void *ctx, struct pending *pending)
{
}

static __always_inline enum pattern pattern_of(struct request *rq, sector_t begin, __u64 bytes)
{
	struct stream stream = { .dev = request_disk(rq), .operation = request_operation(rq) };
	enum pattern pattern = unknown;
	sector_t end = begin + (bytes >> SECTOR_BITS);
	sector_t *before = bpf_map_lookup_elem(&ends, &stream);

	if (before)
		pattern = begin == *before ? sequential : random;
	bpf_map_update_elem(&ends, &stream, &end, BPF_ANY);
	return pattern;
}

static __always_inline void request_done(struct request *rq, struct pending *pending, __u64 now, bool failed)
{
	/* Without data it is at no place, for which the kernel has -1. */
	sector_t sector = pending->bytes ? pending->sector : 0;
	enum pattern pattern = pending->bytes ? pattern_of(rq, sector, pending->bytes) : unknown;
	struct event *event;

	if (min_latency && now - pending->issued < min_latency)
		return;
	event = event_reserve(events, event);
	if (!event)
		return;
	event->time = bpf_ktime_get_boot_ns();
	copy_owner(event, &pending->owner);
	event->dev = request_disk(rq);
	event->cmd_flags = BPF_CORE_READ(rq, cmd_flags);
	event->sector = sector;
	event->bytes = pending->bytes;
	event->pattern = pattern;
	event->failed = failed;
	event->queued = pending->issued - pending->seen;
	event->latency = now - pending->issued;
	event_submit(event);
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
