/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* Open files. */
#ifndef KSCOPE_FILE_H
#define KSCOPE_FILE_H

#include "core.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>

#define S_IFMT 0170000
#define S_IFSOCK 0140000
#define S_IFREG 0100000

/* The open file behind a descriptor of the current task, or NULL. */
static __always_inline struct file *current_file(int fd)
{
	struct task_struct *task = (void *)bpf_get_current_task();
	struct fdtable *table = BPF_CORE_READ(task, files, fdt);
	struct file *file = NULL;

	if (fd >= 0 && (__u32)fd < BPF_CORE_READ(table, max_fds))
		bpf_probe_read_kernel(&file, sizeof(file), BPF_CORE_READ(table, fd) + fd);
	return file;
}

static __always_inline __u32 file_type(struct file *file)
{
	return BPF_CORE_READ(file, f_inode, i_mode) & S_IFMT;
}

#endif
