// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* How long calls of functions take. */
#include "core.h"
#include "call-points.h"
#include "filter.h"
#include "hist.h"

const volatile bool by_function = false;
const volatile bool by_process = false;

struct call {
	CALL_FIELDS;
};

struct key {
	__u64 place;
	pid_t pid;
	__u32 unused;
};

CALLS(calls, struct call);
HISTOGRAMS(hists, struct key, 10240);

static __always_inline int begins(void *ctx, struct call_key *key, __u64 place, bool registers)
{
	struct call *call;

	if (!wanted_task(bpf_get_current_pid_tgid()))
		return 0;
	call = call_begin(calls, key);
	if (call) {
		call->place = place;
		call->start = bpf_ktime_get_ns();
	}
	return 0;
}

static __always_inline int ends(void *ctx, struct call_key *key, __u64 result)
{
	__u64 now = bpf_ktime_get_ns(), id = bpf_get_current_pid_tgid();
	struct key function = {};
	struct call call;

	if (!wanted_ids(id) || !call_end(calls, key, &call))
		return 0;
	if (by_function)
		function.place = call.place;
	if (by_process)
		function.pid = id >> 32;
	hist_add(hists, &function, now - call.start);
	return 0;
}

CALL_POINTS(begins, ends, NO_RESULT)

char LICENSE[] SEC("license") = "Dual BSD/GPL";
