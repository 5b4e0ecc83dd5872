// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* From which of the kernel's caches of objects memory is taken, and how much. */
#include "filter.h"
#include "table.h"
#include <bpf/bpf_tracing.h>

struct key {
	text_t cache[32];
};

struct value {
	count_t allocs;
	bytes_t bytes;
};

TABLE(caches, struct key, struct value, 4096);

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct kmem_cache {
	unsigned int size;
	const char *name;
};

/* Of its own since 6.1, and with the name since some time after 6.12. */
struct trace_event_raw_kmem_cache_alloc {
	unsigned long bytes_alloc;
	__u32 __data_loc_name;
};

#pragma clang attribute pop

static __always_inline int count(const char *name, __u64 bytes)
{
	struct key key = {};
	struct value *value;

	bpf_probe_read_kernel_str(key.cache, sizeof(key.cache), name);
	value = table_row(caches, &key);
	if (value) {
		__sync_fetch_and_add(&value->allocs, 1);
		__sync_fetch_and_add(&value->bytes, bytes);
	}
	return 0;
}

SEC("tp/kmem/kmem_cache_alloc")
int alloc__tp(struct trace_event_raw_kmem_cache_alloc *ctx)
{
	if (!wanted_task(bpf_get_current_pid_tgid()))
		return 0;
	return count((void *)ctx + (ctx->__data_loc_name & 0xffff), ctx->bytes_alloc);
}

/* The tracepoint is given the cache since it has a record of its own: before, this does not load. */
SEC("tp_btf/kmem_cache_alloc")
int BPF_PROG(alloc__tp_btf, unsigned long call_site, const void *object, struct kmem_cache *cache)
{
	__u64 own = bpf_core_field_offset(struct trace_event_raw_kmem_cache_alloc, bytes_alloc);

	barrier_var(own);
	if (!own || !wanted_task(bpf_get_current_pid_tgid()))
		return 0;
	return count(BPF_CORE_READ(cache, name), BPF_CORE_READ(cache, size));
}

static __always_inline int enter(struct kmem_cache *cache)
{
	if (!wanted_task(bpf_get_current_pid_tgid()))
		return 0;
	return count(BPF_CORE_READ(cache, name), BPF_CORE_READ(cache, size));
}

SEC("kprobe/kmem_cache_alloc")
int BPF_KPROBE(alloc__kprobe, struct kmem_cache *cache)
{
	return enter(cache);
}

SEC("kprobe/kmem_cache_alloc_node")
int BPF_KPROBE(alloc_node__kprobe, struct kmem_cache *cache)
{
	return enter(cache);
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
