/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* Where one file system is mounted on another. */
#ifndef KSCOPE_MOUNT_H
#define KSCOPE_MOUNT_H

#include "core.h"
#include <bpf/bpf_core_read.h>

/* From the root of the mount `here` to the directory of `above` that it is mounted on. */
#define leave_mount(walk, here, above)							\
({											\
	(walk)->dentry = BPF_CORE_READ(here, mnt_mountpoint);				\
	(walk)->mnt = (void *)(above) + bpf_core_field_offset(struct mount, mnt);	\
	(walk)->mnt_root = BPF_CORE_READ(above, mnt.mnt_root);				\
})

#endif
