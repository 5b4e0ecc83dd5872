/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * The path of an open file or directory, found by hand: bpf_d_path() is not
 * for tracepoints. Nothing is locked, so a path that is renamed during the
 * walk may come out mixed, as it may for any reader without locks.
 */
#ifndef KSCOPE_PATH_H
#define KSCOPE_PATH_H

#include "core.h"
#include "events.h"
#include "file.h"
#include "mount.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>

#define PATH_MAX 4096
#define NAME_MAX 255

/* Names and mount points that a walk passes at most; each costs load time. */
#define DENTRY_PATH_STEPS 512

/*
 * The longest dentry_path_t is a name as it was given below the longest
 * directory. A buffer for one has room to spare, since a piece is written
 * before its length is known.
 */
#define DENTRY_PATH_LIMIT (2 * PATH_MAX)
#define DENTRY_PATH_BUFFER (DENTRY_PATH_LIMIT + 512)

enum dentry_path_end {
	DENTRY_PATH_ROOT,	/* the root that the current task sees */
	DENTRY_PATH_DETACHED,	/* the top of a tree that is not mounted for the task, or of a pipe and the like */
	DENTRY_PATH_CUT,	/* too many or too long names */
	DENTRY_PATH_NAME,	/* only a name that is in no directory */
};

/*
 * Whoever includes this file says how many scratch slots its programs have,
 * and where the buffer of each is: DENTRY_PATH_BUFFER bytes of its scratch
 * record, from this member on.
 */
#ifndef DENTRY_PATH_SLOTS
#define DENTRY_PATH_SLOTS 1
#endif
static char *dentry_path_buffer(__u32 slot);

#define DENTRY_PATHS_IN(map, member)					\
static __always_inline char *dentry_path_buffer(__u32 slot)		\
{									\
	typeof(*(map).value) *__record = scratch(map, slot);		\
									\
	return __record ? __record->member : NULL;			\
}

/* Where a walk is, how it goes and where it may end. */
struct dentry_walk {
	struct dentry *dentry;
	struct vfsmount *mnt;
	struct dentry *mnt_root;
	struct dentry *root_dentry;
	struct vfsmount *root_mnt;
	struct mnt_namespace *mnt_ns;
	__u32 length;
	enum dentry_path_end end;
};

SCRATCH(dentry_walk_scratch, struct dentry_walk, DENTRY_PATH_SLOTS);

/*
 * One step up. Returns false where the walk ends. It is a global function that
 * keeps everything in memory because the verifier then checks it once, and not
 * once for each round of the loop.
 */
__noinline int dentry_path_step(__u32 slot)
{
	struct dentry_walk *walk = scratch(dentry_walk_scratch, slot);
	char *buffer = dentry_path_buffer(slot);
	struct dentry *dentry, *parent;
	const unsigned char *name;
	struct vfsmount *mnt;
	long written;
	__u32 at;

	if (!walk || !buffer)
		return false;
	dentry = walk->dentry;
	mnt = walk->mnt;
	if (dentry == walk->root_dentry && mnt == walk->root_mnt) {
		walk->end = DENTRY_PATH_ROOT;
		return false;
	}
	if (dentry == walk->mnt_root) {
		struct mount *here = container_of(mnt, struct mount, mnt);
		struct mount *above = BPF_CORE_READ(here, mnt_parent);

		if (above == here) {
			walk->end = BPF_CORE_READ(here, mnt_ns) == walk->mnt_ns ?
				DENTRY_PATH_ROOT : DENTRY_PATH_DETACHED;
			return false;
		}
		leave_mount(walk, here, above);
		return true;
	}
	parent = BPF_CORE_READ(dentry, d_parent);
	if (parent == dentry) {
		walk->end = DENTRY_PATH_DETACHED;
		return false;
	}
	name = BPF_CORE_READ(dentry, d_name.name);
	at = walk->length;
	if (at >= DENTRY_PATH_LIMIT)
		return false;
	written = bpf_probe_read_kernel_str(buffer + at, NAME_MAX + 1, name);
	if (written <= 0)
		return false;
	walk->length = at + written;
	walk->dentry = parent;
	return true;
}

/*
 * Writes the pieces of the path (mnt, dentry) to buffer[*length] and on, leaf
 * first, and moves *length behind them. dentry_path_finish() must follow.
 */
static __always_inline enum dentry_path_end
dentry_path_append(__u32 slot, __u32 *length, struct vfsmount *mnt, struct dentry *dentry)
{
	struct task_struct *task = (void *)bpf_get_current_task();
	struct dentry_walk *walk = scratch(dentry_walk_scratch, slot);

	if (!walk)
		return DENTRY_PATH_CUT;
	walk->dentry = dentry;
	walk->mnt = mnt;
	walk->mnt_root = BPF_CORE_READ(mnt, mnt_root);
	walk->root_dentry = BPF_CORE_READ(task, fs, root.dentry);
	walk->root_mnt = BPF_CORE_READ(task, fs, root.mnt);
	walk->mnt_ns = BPF_CORE_READ(task, nsproxy, mnt_ns);
	walk->length = *length;
	walk->end = DENTRY_PATH_CUT;
	for (int i = 0; i < DENTRY_PATH_STEPS; i++)
		if (!dentry_path_step(slot))
			break;
	*length = walk->length;
	return walk->end;
}

/* Writes the outermost piece, which says where the walk ended. Returns the length of the whole. */
static __always_inline __u32
dentry_path_finish(char buffer[DENTRY_PATH_BUFFER], __u32 length, enum dentry_path_end end)
{
	if (length > DENTRY_PATH_BUFFER - 4)
		return length;
	if (end == DENTRY_PATH_ROOT) {
		if (!length)
			buffer[length++] = '\0';
		buffer[length++] = '\0';
	} else if (end == DENTRY_PATH_NAME) {
		__builtin_memcpy(buffer + length, ".", 2);
		length += 2;
	} else {
		__builtin_memcpy(buffer + length, "...", 4);
		length += 4;
	}
	return length;
}

/*
 * Writes the whole path of an open file. What is in no directory has the name
 * that the kernel gave it, or else that of its file system. Returns the length.
 */
static __always_inline __u32
file_path(char path[DENTRY_PATH_BUFFER], __u32 slot, struct file *file, enum dentry_path_end *end)
{
	struct dentry *dentry = BPF_CORE_READ(file, f_path.dentry);
	__u32 length = 0;

	*end = dentry_path_append(slot, &length, BPF_CORE_READ(file, f_path.mnt), dentry);
	if (!length && *end == DENTRY_PATH_DETACHED) {
		const char *name = (void *)BPF_CORE_READ(dentry, d_name.name);
		long written = bpf_probe_read_kernel_str(path, NAME_MAX + 1, name);

		if (written <= 1) {
			name = BPF_CORE_READ(file, f_inode, i_sb, s_type, name);
			written = bpf_probe_read_kernel_str(path, NAME_MAX + 1, name);
		}
		if (written > 0)
			length = written;
		/* The top of a tree has the name '/'. */
		if (path[0] != '/')
			return dentry_path_finish(path, length, DENTRY_PATH_NAME);
	}
	return dentry_path_finish(path, length, *end);
}

/*
 * Ends a path that is longer than the `room` bytes that are kept of it: a path
 * in a field of fixed length, with zeros behind. No name is kept in part.
 */
static __always_inline void dentry_path_cut(char *buffer, const __u32 room)
{
	__u32 end = room - 8;

	__builtin_memset(buffer + end, 0, 8);
	for (__u32 i = 0; i <= NAME_MAX && buffer[end - 1]; i++)
		buffer[--end] = '\0';
	__builtin_memcpy(buffer + end, "...\0\0\0\0", 8);
}

#endif
