// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* How long requests to block devices take, by where in the kernel they were asked for. */
#include "core.h"
#include "hist.h"
#include "requests.h"
#include <bpf/bpf_helpers.h>

struct key {
	maybe_pid_t pid;
	comm_t comm[16];
	dev_t dev;
	stack_id_t stack;
};

HISTOGRAMS(hists, struct key, 10240);
STACKS(stacks);

static __always_inline void request_seen(void *ctx, struct pending *pending)
{
	pending->stack = kernel_stack(ctx, stacks);
}

static __always_inline void request_done(struct request *rq, struct pending *pending, __u64 now, bool failed)
{
	struct key key = {};

	copy_owner(&key, &pending->owner);
	key.dev = request_disk(rq);
	key.stack = pending->stack;
	hist_add(hists, &key, now - pending->seen);
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
