/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* Filters by several processes or threads. Lists end with 0; one that is empty is off. */
#ifndef KSCOPE_FILTER_LISTS_H
#define KSCOPE_FILTER_LISTS_H

#include "core.h"

#define FILTER_IDS 32

const volatile pid_t filter_pids[FILTER_IDS] = {};
const volatile thread_t filter_tids[FILTER_IDS] = {};

static __always_inline bool listed(const volatile int ids[FILTER_IDS], int id)
{
	if (!ids[0])
		return true;
	for (int i = 0; i < FILTER_IDS && ids[i]; i++)
		if (ids[i] == id)
			return true;
	return false;
}

/* pid_tgid is bpf_get_current_pid_tgid(). */
static __always_inline bool wanted_lists(__u64 pid_tgid)
{
	return listed(filter_pids, pid_tgid >> 32) && listed(filter_tids, pid_tgid);
}

#endif
