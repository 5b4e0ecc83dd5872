// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* To whom the page cache is of use. */
#include "types.h"

struct key {
	pid_t pid;
	uid_t uid;
};

#include "page-cache.h"

static __always_inline void who_uses(struct key *key, __u64 id)
{
	key->pid = id >> 32;
	key->uid = bpf_get_current_uid_gid();
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
