/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Histograms that are counted in the kernel, one copy per CPU, so that nothing
 * is shared on the way. Counts only grow: user space takes differences, and no
 * increment is lost between two readings.
 */
#ifndef KSCOPE_HIST_H
#define KSCOPE_HIST_H

#include "events.h"

#define HIST_SLOTS 48

struct hist {
	slot_t slots[HIST_SLOTS];
	count_t total;		/* the sum of the values */
};

/*
 * HISTOGRAMS(map, key_type, entries): one histogram per key. A key that finds
 * no room is counted in <map>_dropped.
 */
#define HISTOGRAMS(map, key_type, entries)				\
	struct {							\
		__uint(type, BPF_MAP_TYPE_PERCPU_HASH);			\
		__uint(max_entries, entries);				\
		__type(key, key_type);					\
		__type(value, struct hist);				\
	} map SEC(".maps");						\
	DROP_COUNTER(map)

static const struct hist empty_hist = {};

/* The slot of a value: 0 and 1 in slot 0, then one slot for each power of two. */
static __always_inline __u32 log2_slot(__u64 value)
{
	__u32 slot = 0;

	if (value >> 32) {
		value >>= 32;
		slot = 32;
	}
	if (value >> 16) {
		value >>= 16;
		slot += 16;
	}
	if (value >> 8) {
		value >>= 8;
		slot += 8;
	}
	if (value >> 4) {
		value >>= 4;
		slot += 4;
	}
	if (value >> 2) {
		value >>= 2;
		slot += 2;
	}
	slot += value >> 1;
	return slot < HIST_SLOTS ? slot : HIST_SLOTS - 1;
}

/* The slot of a value in a histogram of equal steps from 0. */
static __always_inline __u32 linear_slot(__u64 value, __u64 step)
{
	__u64 slot = value / step;

	return slot < HIST_SLOTS ? slot : HIST_SLOTS - 1;
}

/* Adds a value to the histogram of a key, in the slot given. */
#define hist_add_slot(map, key, value, slot_of)				\
do {									\
	struct hist *__hist = bpf_map_lookup_elem(&(map), key);		\
	__u32 __slot = slot_of;						\
									\
	if (!__hist) {							\
		bpf_map_update_elem(&(map), key, &empty_hist, BPF_NOEXIST); \
		__hist = bpf_map_lookup_elem(&(map), key);		\
	}								\
	if (!__hist) {							\
		COUNT_DROPPED(map);					\
	} else if (__slot < HIST_SLOTS) {				\
		__hist->slots[__slot]++;				\
		__hist->total += (value);				\
	}								\
} while (0)

#define hist_add(map, key, value) hist_add_slot(map, key, value, log2_slot(value))

#endif
