// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * What programs that are written at run time need to count combinations of
 * values: maps, and a stub in whose place they are loaded.
 */
#include "core.h"
#include "events.h"
#include "filter.h"

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 16384);
	__uint(key_size, 256);
	__uint(value_size, 16);
} counts SEC(".maps");
DROP_COUNTER(counts);

/* Calls that have not returned: those whose threads ended in them must not stay. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 16384);
	__uint(key_size, 16);
	__uint(value_size, 64);
} entries SEC(".maps");

SEC("uprobe")
int generated(void *ctx)
{
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
