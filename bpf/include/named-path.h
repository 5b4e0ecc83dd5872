/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* The file that a system call names: by a path, or by a descriptor. */
#ifndef KSCOPE_NAMED_PATH_H
#define KSCOPE_NAMED_PATH_H

#include "path.h"
#include "text.h"

#define AT_FDCWD -100

/* The path of an open file. Returns the length, or that of an empty name for a bad descriptor. */
static __always_inline __u32 descriptor_path(char path[DENTRY_PATH_BUFFER], __u32 slot, int fd, mark_t *truncated)
{
	struct file *file = current_file(fd);
	enum dentry_path_end end;
	__u32 length;

	*truncated = false;
	if (!file) {
		path[0] = '\0';
		return 1;
	}
	length = file_path(path, slot, file, &end);
	*truncated = end == DENTRY_PATH_CUT;
	return length;
}

/*
 * The name as it was given, or from the root with `whole`: relative ones are
 * then put behind the path of their directory. An empty one is the
 * descriptor's file. Returns the length.
 */
static __always_inline __u32
named_path(char path[DENTRY_PATH_BUFFER], __u32 slot, int dirfd, const char *name, bool whole, mark_t *truncated)
{
	struct task_struct *task = (void *)bpf_get_current_task();
	enum dentry_path_end end;
	struct vfsmount *mnt;
	struct dentry *dentry;
	__u32 length;

	*truncated = false;
	length = read_user_text(path, PATH_MAX, name, truncated);
	if (length <= 1)
		return descriptor_path(path, slot, dirfd, truncated);
	if (!whole || path[0] == '/')
		return length;
	if (dirfd == AT_FDCWD) {
		mnt = BPF_CORE_READ(task, fs, pwd.mnt);
		dentry = BPF_CORE_READ(task, fs, pwd.dentry);
	} else {
		struct file *file = current_file(dirfd);

		if (!file)
			return length;
		mnt = BPF_CORE_READ(file, f_path.mnt);
		dentry = BPF_CORE_READ(file, f_path.dentry);
	}
	end = dentry_path_append(slot, &length, mnt, dentry);
	if (end != DENTRY_PATH_ROOT)
		*truncated = true;
	return dentry_path_finish(path, length, end);
}

#endif
