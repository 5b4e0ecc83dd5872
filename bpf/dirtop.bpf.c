// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* How much is read and written below some directories. */
#include "file-io.h"
#define DIRECTORY_SLOTS FILE_IO_SLOTS

#include "directory.h"
#include "events.h"

struct key {
	__u32 directory;	/* its place in the list that user space has */
};

struct value {
	count_t reads;
	count_t writes;
	bytes_t rbytes;
	bytes_t wbytes;
};

static const struct value no_value = {};

COUNTED_MAP(totals, BPF_MAP_TYPE_PERCPU_HASH, struct key, struct value, DIRECTORIES);

static __always_inline int file_io(enum file_io_slot slot, struct file *file, bool write, long result)
{
	int directory = directory_of(slot, file);
	struct key key = { .directory = directory };
	struct value *value;

	if (directory == NO_DIRECTORY)
		return 0;
	value = bpf_map_lookup_elem(&totals, &key);
	if (!value) {
		bpf_map_update_elem(&totals, &key, &no_value, BPF_NOEXIST);
		value = bpf_map_lookup_elem(&totals, &key);
	}
	if (!value) {
		COUNT_DROPPED(totals);
		return 0;
	}
	add_file_io(value, write, result);
	return 0;
}

FILE_IO_PROGRAMS

char LICENSE[] SEC("license") = "Dual BSD/GPL";
