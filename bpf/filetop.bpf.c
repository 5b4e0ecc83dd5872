// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* Which files are read and written most, and by whom. */
#include "file-io.h"
#define DENTRY_PATH_SLOTS FILE_IO_SLOTS
#define DIRECTORY_SLOTS FILE_IO_SLOTS

#include "directory.h"
#include "events.h"
#include "path.h"

const volatile bool all_files = false;
const volatile bool only_reads = false;
const volatile bool only_writes = false;
const volatile bool filter_directory = false;

struct key {
	__u64 inode;
	dev_t dev;
	pid_t pid;
	thread_t tid;
};

struct value {
	count_t reads;
	count_t writes;
	bytes_t rbytes;
	bytes_t wbytes;
	comm_t comm[16];
	text_t type[8];		/* R, S or O: regular file, socket, or something else */
	/*
	 * From the root, with no padding behind it. What is in no directory
	 * has the name that the kernel gave it, or its file system's.
	 */
	dentry_path_t path[1024];
};

static const struct value no_value = {};

COUNTED_MAP(files, BPF_MAP_TYPE_HASH, struct key, struct value, 10240);

/* A path may be longer while it is put together. */
struct found {
	struct value value;
	char beyond[DENTRY_PATH_BUFFER];
};

SCRATCH(found_scratch, struct found, FILE_IO_SLOTS);
DENTRY_PATHS_IN(found_scratch, value.path)

static __always_inline struct value *new_value(const struct key *key, __u32 slot, struct file *file)
{
	struct found *found = scratch(found_scratch, slot);
	__u32 type = file_type(file);
	const __u32 room = sizeof(found->value.path);
	enum dentry_path_end end;
	struct value *value;

	if (!found)
		return NULL;
	value = &found->value;
	bpf_probe_read_kernel(value, sizeof(*value), &no_value);
	bpf_get_current_comm(value->comm, sizeof(value->comm));
	value->type[0] = type == S_IFREG ? 'R' : type == S_IFSOCK ? 'S' : 'O';
	if (file_path(value->path, slot, file, &end) > room - 8)
		dentry_path_cut(value->path, room);
	bpf_map_update_elem(&files, key, value, BPF_NOEXIST);
	value = bpf_map_lookup_elem(&files, key);
	if (!value)
		COUNT_DROPPED(files);
	return value;
}

static __always_inline int file_io(enum file_io_slot slot, struct file *file, bool write, long result)
{
	__u64 id = bpf_get_current_pid_tgid();
	struct value *value;
	struct inode *inode;
	struct key key;

	if ((write ? only_reads : only_writes) || (!all_files && file_type(file) != S_IFREG))
		return 0;
	__builtin_memset(&key, 0, sizeof(key));
	inode = BPF_CORE_READ(file, f_inode);
	key.inode = BPF_CORE_READ(inode, i_ino);
	key.dev = BPF_CORE_READ(inode, i_sb, s_dev);
	key.pid = id >> 32;
	key.tid = id;
	value = bpf_map_lookup_elem(&files, &key);
	if (!value) {
		if (filter_directory && directory_of(slot, file) == NO_DIRECTORY)
			return 0;
		value = new_value(&key, slot, file);
		if (!value)
			return 0;
	}
	add_file_io(value, write, result);
	return 0;
}

FILE_IO_PROGRAMS

char LICENSE[] SEC("license") = "Dual BSD/GPL";
