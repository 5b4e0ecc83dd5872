/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Tables of what is added up in the kernel: a row for each key, made of zeros
 * when the key is new. A key that finds no room is counted in <map>_dropped.
 *
 * Add with __sync_fetch_and_add(): other processors have the same row, and a
 * program may be interrupted by another one.
 */
#ifndef KSCOPE_TABLE_H
#define KSCOPE_TABLE_H

#include "core.h"
#include "events.h"

#define TABLE(map, key_type, value_type, entries)			\
	TABLE_IN(map, BPF_MAP_TYPE_HASH, key_type, value_type, entries)

/* The same in another type of map: one with a copy for each CPU, or one that forgets what was used least. */
#define TABLE_IN(map, map_type, key_type, value_type, entries)		\
	COUNTED_MAP(map, map_type, key_type, value_type, entries);	\
	static const value_type map##_empty = {}

/* The row of a key, or NULL when there is no room for it. */
#define table_row(map, key)						\
({									\
	typeof(*(map).value) *__row = bpf_map_lookup_elem(&(map), key);	\
									\
	if (!__row) {							\
		/* Another processor may be first. */			\
		bpf_map_update_elem(&(map), key, &map##_empty, BPF_NOEXIST); \
		__row = bpf_map_lookup_elem(&(map), key);		\
		if (!__row)						\
			COUNT_DROPPED(map);				\
	}								\
	__row;								\
})

/* Adds to a member of the row of a key. */
#define table_add(map, key, member, amount)				\
do {									\
	typeof(*(map).value) *__to = table_row(map, key);		\
									\
	if (__to)							\
		__sync_fetch_and_add(&__to->member, amount);		\
} while (0)

/* One row for all, which is always there, with a copy for each CPU: TOTALS(map, struct value). */
struct for_all {
	__u32 _all;
};

#define TOTALS(map, value_type)						\
	struct {							\
		__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);		\
		__uint(max_entries, 1);					\
		__type(key, struct for_all);				\
		__type(value, value_type);				\
	} map SEC(".maps")

#define totals_row(map)							\
({									\
	struct for_all __all = {};					\
									\
	(typeof((map).value))bpf_map_lookup_elem(&(map), &__all);	\
})

#endif
