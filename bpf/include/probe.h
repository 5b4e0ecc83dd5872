/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Functions of the kernel, hooked where they return.
 *
 * A program that can be attached in several ways is written once, as a body,
 * and has a program for each way, named BASE__KIND: the loader keeps those of
 * the best kind that the running kernel accepts. fexit has the arguments and
 * the result at once. kprobe and kretprobe have one each, so a kprobe keeps
 * what its kretprobe will want in an ENTRY_MAP, by thread.
 */
#ifndef KSCOPE_PROBE_H
#define KSCOPE_PROBE_H

#include "core.h"
#include "events.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_tracing.h>

/* ENTRY_MAP(map, type): what calls that are under way were entered with; <map>_dropped counts those without room. */
#define ENTRY_MAP(map, record) COUNTED_MAP(map, BPF_MAP_TYPE_HASH, thread_t, record, 10240)

#define entry_keep(map, value)						\
do {									\
	thread_t __tid = bpf_get_current_pid_tgid();			\
	if (bpf_map_update_elem(&(map), &__tid, value, BPF_ANY))	\
		COUNT_DROPPED(map);					\
} while (0)

#define entry_find(map)							\
({									\
	thread_t __tid = bpf_get_current_pid_tgid();			\
	bpf_map_lookup_elem(&(map), &__tid);				\
})

#define entry_forget(map)						\
do {									\
	thread_t __tid = bpf_get_current_pid_tgid();			\
	bpf_map_delete_elem(&(map), &__tid);				\
} while (0)

#endif
