/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* Which of the directories that user space asked for a file is in, or below, whatever is mounted on the way. */
#ifndef KSCOPE_DIRECTORY_H
#define KSCOPE_DIRECTORY_H

#include "core.h"
#include "events.h"
#include "mount.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>

/* Directories and mount points on the way up at most. */
#define DIRECTORY_STEPS 256

/* Whoever includes this file says how many programs look. */
#ifndef DIRECTORY_SLOTS
#define DIRECTORY_SLOTS 1
#endif

#define NO_DIRECTORY -1
#define DIRECTORIES 1024

struct directory {
	__u64 inode;
	dev_t dev;
	__u32 zero;
};

/* User space fills it: numbers of directories. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, DIRECTORIES);
	__type(key, struct directory);
	__type(value, __u32);
} directories SEC(".maps");

struct directory_walk {
	struct dentry *dentry;
	struct vfsmount *mnt;
	struct dentry *mnt_root;
	int found;
};

SCRATCH(directory_walk_scratch, struct directory_walk, DIRECTORY_SLOTS);

/* One step up, false at the end; the verifier checks it once, as it is a global function. */
__noinline int directory_step(__u32 slot)
{
	struct directory_walk *walk = scratch(directory_walk_scratch, slot);
	struct directory directory = {};
	struct mount *here, *above;
	struct dentry *dentry, *parent;
	struct inode *inode;
	__u32 *number;

	if (!walk)
		return false;
	dentry = walk->dentry;
	inode = BPF_CORE_READ(dentry, d_inode);
	directory.inode = BPF_CORE_READ(inode, i_ino);
	directory.dev = BPF_CORE_READ(inode, i_sb, s_dev);
	number = bpf_map_lookup_elem(&directories, &directory);
	if (number) {
		walk->found = *number;
		return false;
	}
	if (dentry == walk->mnt_root) {
		here = container_of(walk->mnt, struct mount, mnt);
		above = BPF_CORE_READ(here, mnt_parent);
		if (above == here)
			return false;
		leave_mount(walk, here, above);
		return true;
	}
	parent = BPF_CORE_READ(dentry, d_parent);
	walk->dentry = parent;
	return parent != dentry;
}

/* The number of the nearest directory, or NO_DIRECTORY. */
static __always_inline int directory_of(__u32 slot, struct file *file)
{
	struct directory_walk *walk = scratch(directory_walk_scratch, slot);

	if (!walk)
		return NO_DIRECTORY;
	walk->dentry = BPF_CORE_READ(file, f_path.dentry);
	walk->mnt = BPF_CORE_READ(file, f_path.mnt);
	walk->mnt_root = BPF_CORE_READ(file, f_path.mnt, mnt_root);
	walk->found = NO_DIRECTORY;
	for (int i = 0; i < DIRECTORY_STEPS; i++)
		if (!directory_step(slot))
			break;
	return walk->found;
}

#endif
