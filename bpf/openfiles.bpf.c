// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* The files that processes have open, as the kernel lists them. */
#include "core.h"
#include "path.h"
#include <bpf/bpf_tracing.h>

#define PATH_ROOM 1024

struct row {
	pid_t pid;
	uid_t uid;
	comm_t comm[16];
	fd_t fd;
	open_flags_t flags;
	__u32 mode;		/* what kind of file it is, and its permissions */
	dev_t dev;
	__u64 inode;
	bytes_t pos;
	bytes_t size;
	mark_t deleted;
	dentry_path_t path[PATH_ROOM];
};

const struct row *const rows_record SEC(".types");

/* A row, with room for a path before it is cut. */
struct open_file {
	struct row row;
	char rest[DENTRY_PATH_BUFFER];
};

SCRATCH(row_scratch, struct open_file, 1);
DENTRY_PATHS_IN(row_scratch, row.path)

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct bpf_iter_meta {
	struct seq_file *seq;
};

struct bpf_iter__task_file {
	struct bpf_iter_meta *meta;
	struct task_struct *task;
	__u32 fd;
	struct file *file;
};

struct file___flags {
	unsigned int f_flags;
};

struct inode___more {
	long long i_size;
	unsigned int i_nlink;
};

typedef struct {
	uid_t val;
} kuid_t;

struct cred {
	kuid_t uid;
};

struct task_struct___cred {
	const struct cred *cred;
};

#pragma clang attribute pop

SEC("iter/task_file")
int open_files(struct bpf_iter__task_file *ctx)
{
	struct open_file *open = scratch(row_scratch, 0);
	struct task_struct *task = ctx->task;
	struct file *file = ctx->file;
	enum dentry_path_end end;
	struct inode *inode;
	struct row *row;
	__u32 length;

	/* Threads have the files of their process. */
	if (!open || !task || !file || task->pid != task->tgid)
		return 0;
	row = &open->row;
	inode = BPF_CORE_READ(file, f_inode);
	row->pid = task->tgid;
	row->uid = BPF_CORE_READ((struct task_struct___cred *)task, cred, uid.val);
	BPF_CORE_READ_STR_INTO(&row->comm, task, comm);
	row->fd = ctx->fd;
	row->flags = BPF_CORE_READ((struct file___flags *)file, f_flags);
	row->mode = BPF_CORE_READ(inode, i_mode);
	row->dev = BPF_CORE_READ(inode, i_sb, s_dev);
	row->inode = BPF_CORE_READ(inode, i_ino);
	row->pos = BPF_CORE_READ(file, f_pos);
	row->size = BPF_CORE_READ((struct inode___more *)inode, i_size);
	__builtin_memset(row->path, 0, sizeof(row->path));
	length = file_path(row->path, 0, file, &end);
	row->deleted = end != DENTRY_PATH_DETACHED && !BPF_CORE_READ((struct inode___more *)inode, i_nlink);
	if (length > PATH_ROOM - 8)
		dentry_path_cut(row->path, PATH_ROOM);
	bpf_seq_write(ctx->meta->seq, row, sizeof(*row));
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
