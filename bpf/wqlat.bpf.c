// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* How long work waits in the kernel's workqueues until it begins. */
#include "core.h"
#include "hist.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_tracing.h>

#define NAME_SIZE 32

const volatile bool by_queue = false;
const volatile char filter_name[NAME_SIZE] = {};

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct workqueue_struct {
	char name[NAME_SIZE];
};

struct pool_workqueue {
	struct workqueue_struct *wq;
};

#pragma clang attribute pop

struct key {
	text_t wqname[NAME_SIZE];
};

HISTOGRAMS(hists, struct key, 1024);

struct queued {
	__u64 since;
	struct key key;
};

/* Work that waits, by its address; what is cancelled is forgotten some day. */
COUNTED_MAP(waiting, BPF_MAP_TYPE_LRU_HASH, __u64, struct queued, 10240);

static __always_inline bool wanted_name(const char *name)
{
	for (int i = 0; i < NAME_SIZE && filter_name[0]; i++) {
		if (name[i] != filter_name[i])
			return false;
		if (!name[i])
			break;
	}
	return true;
}

SEC("tp_btf/workqueue_queue_work")
int BPF_PROG(queue_work__tp_btf, int cpu, struct pool_workqueue *pwq, void *work)
{
	struct workqueue_struct *wq = BPF_CORE_READ(pwq, wq);
	__u64 address = (__u64)work;
	struct queued queued = {};

	if (by_queue || filter_name[0])
		bpf_probe_read_kernel_str(queued.key.wqname, sizeof(queued.key.wqname), &wq->name);
	if (!wanted_name(queued.key.wqname))
		return 0;
	queued.since = bpf_ktime_get_ns();
	if (bpf_map_update_elem(&waiting, &address, &queued, BPF_ANY))
		COUNT_DROPPED(waiting);
	return 0;
}

SEC("tp_btf/workqueue_execute_start")
int BPF_PROG(execute_start__tp_btf, void *work)
{
	struct queued *queued, copy;
	__u64 address = (__u64)work;
	struct key key = {};

	queued = bpf_map_lookup_elem(&waiting, &address);
	if (!queued)
		return 0;
	copy = *queued;
	bpf_map_delete_elem(&waiting, &address);
	if (by_queue)
		key = copy.key;
	hist_add(hists, &key, bpf_ktime_get_ns() - copy.since);
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
