// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
#include "generated-events.h"

/* Calls that have not returned: those whose threads ended in them must not stay. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 16384);
	__uint(key_size, 8);
	__uint(value_size, 8);
} calls SEC(".maps");

char LICENSE[] SEC("license") = "Dual BSD/GPL";
