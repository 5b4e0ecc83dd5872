// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* Which processes have block devices do how much. */
#include "core.h"
#include "requests.h"
#include "table.h"
#include <bpf/bpf_helpers.h>

struct key {
	maybe_pid_t pid;
	comm_t comm[16];
	dev_t dev;
	__u32 op;
};

struct value {
	count_t io;
	bytes_t bytes;
	ns_t total;
};

/* Of processes that have ended there is nothing to keep when it gets full. */
TABLE_IN(done, BPF_MAP_TYPE_LRU_HASH, struct key, struct value, 16384);

static __always_inline void request_seen(void *ctx, struct pending *pending)
{
}

static __always_inline void request_done(struct request *rq, struct pending *pending, __u64 now, bool failed)
{
	struct value *value;
	struct key key = {};

	copy_owner(&key, &pending->owner);
	key.dev = request_disk(rq);
	key.op = request_operation(rq);
	value = table_row(done, &key);
	if (!value)
		return;
	__sync_fetch_and_add(&value->io, 1);
	__sync_fetch_and_add(&value->bytes, pending->bytes);
	__sync_fetch_and_add(&value->total, now - pending->issued);
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
