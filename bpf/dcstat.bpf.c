// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* How often the cache of directory entries has the name that is looked for. */
#include "dcache.h"
#include "table.h"

struct value {
	count_t refs;
	count_t slow;
	count_t misses;
};

TOTALS(totals, struct value);

static __always_inline int looked_up(struct nameidata *nd, bool found)
{
	struct value *value = totals_row(totals);

	if (!value)
		return 0;
	__sync_fetch_and_add(&value->refs, 1);
	if (!found)
		__sync_fetch_and_add(&value->misses, 1);
	return 0;
}

static __always_inline int slow_lookup(void)
{
	struct value *value = wanted_lookup() ? totals_row(totals) : NULL;

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
