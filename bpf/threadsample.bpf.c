// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* What all threads do at a moment, as the kernel lists them. */
#include "core.h"
#include "iter.h"
#include "compat.h"
#include "lock-functions.h"
#include "path.h"
#include "syscall.h"
#include "task-state.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#define DEPTH 16
#define PATH_ROOM 1024
#define CALLS 512

const volatile bool with_sleeping = false;
const volatile bool with_kernel = false;
const volatile bool with_paths = false;

/* Calls that work on a descriptor, which is their first argument, by number. */
const volatile __u64 descriptor_calls[CALLS / 64] = {};

struct row {
	pid_t pid;
	thread_t tid;
	uid_t uid;
	comm_t comm[16];
	enum thread_state state;
	syscall_t syscall;
	addr_t address;		/* where in the kernel it waits, 0: it does not */
	addr_t frames[DEPTH];
	cgroup_id_t cgroup;
	maybe_dentry_path_t exe[PATH_ROOM];
	maybe_dentry_path_t file[PATH_ROOM];
};

const struct row *const rows_record SEC(".types");

/* A row, with room for a path before it is cut. */
struct sample {
	struct row row;
	char path[DENTRY_PATH_BUFFER];
};

SCRATCH(sample_scratch, struct sample, 1);
DENTRY_PATHS_IN(sample_scratch, path)

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct mm_struct___exe {
	struct file *exe_file;
};

struct task_struct___exe {
	struct mm_struct___exe *mm;
};

#pragma clang attribute pop

static __always_inline struct pt_regs *user_regs(struct task_struct *task)
{
	return BPF_CORE_READ(task, stack) + THREAD_SIZE - bpf_core_type_size(struct pt_regs);
}

/* The system call of a thread that is not on a processor: on one, it may have left it. */
static __always_inline __u32 syscall_of(struct task_struct *task)
{
	struct pt_regs *regs = user_regs(task);
#if defined(__TARGET_ARCH_x86)
	long number = BPF_CORE_READ(regs, orig_ax);
#else
	int number = BPF_CORE_READ((struct pt_regs___number *)regs, syscallno);
#endif

	/* Negative: it came in by an interrupt or a fault. */
	return number < 0 ? NO_SYSCALL : number;
}

/* The file behind the descriptor that a call works on. */
static __always_inline struct file *file_of(struct task_struct *task, __u32 call)
{
	struct fdtable *table = BPF_CORE_READ(task, files, fdt);
	struct file *file = NULL;
	__u32 fd;

	if (call >= CALLS || !(descriptor_calls[call / 64 % (CALLS / 64)] >> (call % 64) & 1))
		return NULL;
#if defined(__TARGET_ARCH_x86)
	fd = BPF_CORE_READ(user_regs(task), di);
#else
	fd = BPF_CORE_READ(user_regs(task), orig_x0);
#endif
	if (fd < BPF_CORE_READ(table, max_fds))
		bpf_probe_read_kernel(&file, sizeof(file), BPF_CORE_READ(table, fd) + fd);
	return file;
}

static __always_inline void tell_path(char *field, struct file *file)
{
	char *path = dentry_path_buffer(0);
	enum dentry_path_end end;

	field[0] = '/';
	if (!file || !path)
		return;
	__builtin_memset(path, 0, PATH_ROOM);
	if (file_path(path, 0, file, &end) > PATH_ROOM - 8)
		dentry_path_cut(path, PATH_ROOM);
	bpf_probe_read_kernel(field, PATH_ROOM, path);
}

SEC("iter/task")
int threads(struct bpf_iter__task *ctx)
{
	struct task_struct *task = ctx->task;
	struct sample *sample = scratch(sample_scratch, 0);
	struct row *row;
	long size;

	if (!sample || !task || !wanted_other_task(task) || (!with_kernel && is_kernel_thread(task)))
		return 0;
	row = &sample->row;
	__builtin_memset(row, 0, __builtin_offsetof(struct row, exe));
	row->state = state_of(task);
	if (!with_sleeping && row->state != RUN && row->state != RUNQ && row->state != DISK)
		return 0;
	row->pid = BPF_CORE_READ(task, tgid);
	row->tid = BPF_CORE_READ(task, pid);
	row->uid = BPF_CORE_READ((struct task_struct___other *)task, cred, uid.val);
	BPF_CORE_READ_STR_INTO(&row->comm, task, comm);
	row->syscall = row->state == RUN || row->state == ZOMBIE || row->state == DEAD || is_kernel_thread(task) ?
			      NO_SYSCALL : syscall_of(task);
	size = row->state == RUN ? 0 : bpf_get_task_stack(task, row->frames, sizeof(row->frames), 0);
	for (int i = 0; i < DEPTH; i++) {
		if ((i + 1) * 8 > size)
			break;
		if (!is_lock_function(row->frames[i])) {
			row->address = row->frames[i];
			break;
		}
	}
	row->cgroup = BPF_CORE_READ((struct task_struct___other *)task, cgroups, dfl_cgrp, kn, id);
	tell_path(row->exe, with_paths ? BPF_CORE_READ((struct task_struct___exe *)task, mm, exe_file) : NULL);
	tell_path(row->file, with_paths ? file_of(task, row->syscall) : NULL);
	bpf_seq_write(ctx->meta->seq, row, sizeof(*row));
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
