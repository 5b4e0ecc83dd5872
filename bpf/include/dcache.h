/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Lookups of names in the cache of directory entries: each step of a walk
 * along a path asks it once, with lookup_fast().
 *
 * Whoever includes this file says what is done with each, and ends with
 * DCACHE_PROGRAMS.
 */
#ifndef KSCOPE_DCACHE_H
#define KSCOPE_DCACHE_H

#include "compat.h"
#include "core.h"
#include "filter.h"
#include "probe.h"

/* A walk along a path, and the name that is looked up. */
struct nameidata {
	struct qstr last;
} __attribute__((preserve_access_index));

static int looked_up(struct nameidata *nd, bool found);

ENTRY_MAP(lookups, struct nameidata *);

/* An error makes the walk begin again, which is a lookup of its own. */
static __always_inline int lookup_ends(struct nameidata *nd, long dentry)
{
	return dentry < 0 && dentry >= -4095 ? 0 : looked_up(nd, dentry);
}

static __always_inline bool wanted_lookup(void)
{
	return wanted_task(bpf_get_current_pid_tgid());
}

#define DCACHE_PROGRAMS								\
SEC("fexit/lookup_fast")							\
int lookup_fast__fexit(__u64 *ctx)						\
{										\
	/* 3 arguments where there is no helper. */				\
	return wanted_lookup() ? lookup_ends((void *)ctx[0], fexit_result(ctx, 3)) : 0;	\
}										\
SEC("kprobe/lookup_fast")							\
int BPF_KPROBE(lookup_fast__kprobe, struct nameidata *nd)			\
{										\
	if (wanted_lookup())							\
		entry_keep(lookups, &nd);					\
	return 0;								\
}										\
SEC("kretprobe/lookup_fast")							\
int BPF_KRETPROBE(lookup_fast__kretprobe, long dentry)				\
{										\
	struct nameidata **entry = entry_find(lookups), *nd;			\
										\
	if (!entry)								\
		return 0;							\
	nd = *entry;								\
	entry_forget(lookups);							\
	return lookup_ends(nd, dentry);						\
}

#endif
