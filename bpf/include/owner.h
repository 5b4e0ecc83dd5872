/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Whose something is, where that is learned earlier than it is needed: what
 * happens in an interrupt happens in the name of nobody.
 */
#ifndef KSCOPE_OWNER_H
#define KSCOPE_OWNER_H

#include "core.h"
#include "filter.h"
#include <bpf/bpf_helpers.h>

struct owner {
	maybe_pid_t pid;
	bool wanted;			/* passed the filters when it was seen */
	maybe_comm_t comm[16];
};

/* Only where the current task is the one that acts. */
static __always_inline void owner_is_current(struct owner *owner)
{
	__u64 id = bpf_get_current_pid_tgid();

	owner->pid = id >> 32;
	owner->wanted = wanted_task(id);
	bpf_get_current_comm(owner->comm, sizeof(owner->comm));
}

/* Whether any filter is on that asks for a task. */
static __always_inline bool filters_tasks(void)
{
	return filter_pid || filter_tid || filter_uid != NO_UID || filter_comm[0] || filter_cgroup ||
	       filter_cgroupmap || filter_mntnsmap;
}

/* What nobody is known to own passes when nobody was asked for. */
static __always_inline bool wanted_owner(const struct owner *owner)
{
	return owner->pid ? owner->wanted : !filters_tasks();
}

#define copy_owner(event, owner)					\
do {									\
	(event)->pid = (owner)->pid;					\
	__builtin_memcpy((event)->comm, (owner)->comm, sizeof((event)->comm));	\
} while (0)

#endif
