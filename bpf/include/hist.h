/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Histograms that are counted in the kernel, one copy per CPU, so that nothing
 * is shared on the way. Counts only grow: user space takes differences, and no
 * increment is lost between two readings.
 */
#ifndef KSCOPE_HIST_H
#define KSCOPE_HIST_H

#include "table.h"

#define HIST_SLOTS 48
#define LINEAR_SLOTS 32		/* in a histogram of equal steps, so many are equal: the others double */

/* How much of what is added makes one of the unit that slots are in: 1000 for microseconds. User space sets it. */
const volatile __u32 hist_unit = 1;

struct hist {
	slot_t slots[HIST_SLOTS];
	count_t total;		/* the sum of what was added, exact */
};

/*
 * HISTOGRAMS(map, key_type, entries): one histogram per key. A key that finds
 * no room is counted in <map>_dropped.
 */
#define HISTOGRAMS(map, key_type, entries) HISTOGRAMS_WITH(map, key_type, struct hist, entries)

/*
 * A histogram for percentiles: 16 slots for each power of two, so that a value
 * is known to 6 %; up to 2^32.
 */
#define FINE_STEP_BITS 4
#define FINE_STEPS (1 << FINE_STEP_BITS)

struct fine_hist {
	slot_t slots[(33 - FINE_STEP_BITS) * FINE_STEPS];
	count_t total;
};

/* The same with a structure of one's own that has the members of struct hist, and more, or another number of slots. */
#define HISTOGRAMS_WITH(map, key_type, value_type, entries)		\
	TABLE_IN(map, BPF_MAP_TYPE_PERCPU_HASH, key_type, value_type, entries)

static __always_inline __u32 floor_log2(__u64 value)
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
	return slot + (value >> 1);
}

/* The slot of a value: 0 and 1 in slot 0, then one slot for each power of two. */
static __always_inline __u32 log2_slot(__u64 value)
{
	__u32 slot = floor_log2(value);

	return slot < HIST_SLOTS ? slot : HIST_SLOTS - 1;
}

/* The slot of a value in a histogram of equal steps from 0, beyond which each slot is as wide as all before it. */
static __always_inline __u32 linear_slot(__u64 value, __u64 step)
{
	__u64 slot = value / step;

	if (slot >= LINEAR_SLOTS)
		slot = LINEAR_SLOTS + floor_log2(slot / LINEAR_SLOTS);
	return slot < HIST_SLOTS ? slot : HIST_SLOTS - 1;
}

/* The slot of a value in a struct fine_hist: small values have one of their own. */
static __always_inline __u32 fine_slot(__u64 value)
{
	__u32 power;

	if (value < FINE_STEPS)
		return value;
	if (value >> 32)
		value = (1ULL << 32) - 1;
	power = floor_log2(value);
	return (power - FINE_STEP_BITS + 1) * FINE_STEPS + (value >> (power - FINE_STEP_BITS)) % FINE_STEPS;
}

/*
 * Adds a value to the histogram of a key, in the slot given, and gives the
 * histogram, or NULL when there was no room. What is added may be interrupted
 * by another addition to the same CPU's copy.
 */
#define hist_add_slot(map, key, amount, slot_of)			\
({									\
	typeof(*(map).value) *__hist = table_row(map, key);		\
	__u64 __amount = amount;					\
	__u32 __slot = slot_of;						\
									\
	/* The bound has to be checked where the verifier looks, though clang may know it already: 5.10 forgets it. */ \
	barrier_var(__slot);						\
	if (__hist && __slot < sizeof(__hist->slots) / sizeof(__hist->slots[0])) {	\
		__sync_fetch_and_add(&__hist->slots[__slot], 1);	\
		/* clang would turn the addition of a constant 0 into one that 5.10 does not know. */ \
		if (__amount)						\
			__sync_fetch_and_add(&__hist->total, __amount);	\
	}								\
	__hist;								\
})

#define hist_add(map, key, amount) hist_add_slot(map, key, amount, log2_slot((__u64)(amount) / hist_unit))

#endif
