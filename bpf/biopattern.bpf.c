// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* Whether disks are read and written in order. */
#include "block.h"
#include "core.h"
#include "table.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_tracing.h>

#define SECTOR_BITS 9

struct key {
	dev_t dev;
};

struct value {
	count_t count;
	count_t random;
	count_t sequential;
	bytes_t bytes;
	sector_t end;		/* where a sequential one begins */
};

TABLE(disks, struct key, struct value, 4096);

/* Requests of which a part has completed. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 1024);
	__type(key, __u64);
	__type(value, bool);
} begun SEC(".maps");

SEC("tp_btf/block_rq_complete")
int BPF_PROG(block_rq_complete__tp_btf, struct request *rq, int error, unsigned int bytes)
{
	struct key key = { .dev = request_disk(rq) };
	sector_t sector = BPF_CORE_READ(rq, __sector);
	bool last = bytes >= BPF_CORE_READ(rq, __data_len), yes = true;
	struct value *value;
	__u64 address = (__u64)rq;

	/* Without data it is at no place. */
	if (!bytes || (filter_disk && key.dev != filter_disk))
		return 0;
	value = table_row(disks, &key);
	if (!value)
		return 0;
	if (!bpf_map_lookup_elem(&begun, &address)) {
		if (value->count)
			__sync_fetch_and_add(value->end == sector ? &value->sequential : &value->random, 1);
		__sync_fetch_and_add(&value->count, 1);
		if (!last)
			bpf_map_update_elem(&begun, &address, &yes, BPF_ANY);
	} else if (last) {
		bpf_map_delete_elem(&begun, &address);
	}
	__sync_fetch_and_add(&value->bytes, bytes);
	value->end = sector + (bytes >> SECTOR_BITS);
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
