// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* How often the page cache is of use. */
#include "types.h"

/* One for all. */
struct key {
	__u32 _all;
};

#include "page-cache.h"

static __always_inline void who_uses(struct key *key, __u64 id)
{
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
