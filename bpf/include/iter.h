/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* Programs that go over all tasks or all BPF programs there are. */
#ifndef KSCOPE_ITER_H
#define KSCOPE_ITER_H

#include "core.h"

/* A member of the kernel's structure has this type: only the name matters. */
enum bpf_prog_type {
	BPF_PROG_TYPE_UNSPEC,
};

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct bpf_iter_meta {
	struct seq_file *seq;
	__u64 session_id;	/* another one for each reading */
	__u64 seq_num;
};

/* Once for each task, and once without one behind the last. */
struct bpf_iter__task {
	struct bpf_iter_meta *meta;
	struct task_struct *task;
};

struct bpf_prog_aux {
	__u32 id;
	char name[16];
};

struct bpf_prog {
	enum bpf_prog_type type;
	__u32 len;
	struct bpf_prog_aux *aux;
};

struct bpf_iter__bpf_prog {
	struct bpf_iter_meta *meta;
	struct bpf_prog *prog;
};

#pragma clang attribute pop

#endif
