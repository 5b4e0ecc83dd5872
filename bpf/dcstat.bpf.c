// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* How often the cache of directory entries has the name that is looked for. */
#include "dcache.h"

/* One for all. */
struct key {
	__u32 _all;
};

struct value {
	count_t refs;
	count_t slow;
	count_t misses;
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, struct key);
	__type(value, struct value);
} totals SEC(".maps");

static __always_inline struct value *total(void)
{
	struct key key = {};

	return bpf_map_lookup_elem(&totals, &key);
}

static __always_inline int looked_up(struct nameidata *nd, bool found)
{
	struct value *value = total();

	if (!value)
		return 0;
	__sync_fetch_and_add(&value->refs, 1);
	if (!found)
		__sync_fetch_and_add(&value->misses, 1);
	return 0;
}

static __always_inline int slow_lookup(void)
{
	struct value *value = wanted_lookup() ? total() : NULL;

	if (value)
		__sync_fetch_and_add(&value->slow, 1);
	return 0;
}

DCACHE_PROGRAMS

SEC("fentry/d_lookup")
int d_lookup__fentry(void *ctx)
{
	return slow_lookup();
}

SEC("kprobe/d_lookup")
int d_lookup__kprobe(void *ctx)
{
	return slow_lookup();
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
