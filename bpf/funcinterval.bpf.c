// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* The time from one passing of a place to the next. */
#include "core.h"
#include "filter.h"
#include "hist.h"
#include "probe-points.h"

const volatile bool by_function = false;
const volatile bool by_process = false;
const volatile bool by_thread = false;
const volatile bool by_cpu = false;

struct passing {
	__u64 place;
	__u32 task;
	__u32 cpu;
};

struct last {
	__u64 time;
};

struct key {
	__u64 place;
};

/* Of threads that are no more nobody tells: what was not used for long makes room. */
TABLE_IN(passings, BPF_MAP_TYPE_LRU_HASH, struct passing, struct last, 16384);
HISTOGRAMS(hists, struct key, 10240);

static __always_inline int hit(void *ctx, __u64 id)
{
	__u64 now = bpf_ktime_get_ns(), task = bpf_get_current_pid_tgid(), before;
	struct passing passing = {};
	struct key key = {};
	struct last *last;

	if (!wanted_task(task))
		return 0;
	if (by_function)
		passing.place = key.place = id;
	if (by_thread)
		passing.task = task;
	else if (by_process)
		passing.task = task >> 32;
	if (by_cpu)
		passing.cpu = bpf_get_smp_processor_id();
	last = table_row(passings, &passing);
	if (!last)
		return 0;
	before = last->time;
	last->time = now;
	/* Another processor may have been here since the clock was read. */
	if (before && before <= now)
		hist_add(hists, &key, now - before);
	return 0;
}

PROBE_POINTS(hit)

char LICENSE[] SEC("license") = "Dual BSD/GPL";
