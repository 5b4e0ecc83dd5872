/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Tasks that need not be the current one, as in the scheduler's tracepoints.
 * The filters are those of filter.h, for any task.
 */
#ifndef KSCOPE_OTHER_TASK_H
#define KSCOPE_OTHER_TASK_H

#include "core.h"
#include "filter.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>

#define E2BIG 7
#define CGROUP_DEPTH 32

/* The cgroup (v2) that filter_cgroup is about. */
const volatile cgroup_id_t filter_cgroup_id = 0;

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct kernfs_node {
	__u64 id;
};

struct cgroup_subsys_state {
	struct cgroup_subsys_state *parent;
};

struct cgroup {
	struct cgroup_subsys_state self;
	struct kernfs_node *kn;
};

struct css_set {
	struct cgroup *dfl_cgrp;
};

struct pid_namespace {
	struct ns_common ns;
};

struct upid {
	struct pid_namespace *ns;
};

struct pid {
	unsigned int level;
	struct upid numbers[1];
};

typedef struct {
	uid_t val;
} kuid_t;

struct cred {
	kuid_t uid;
};

struct task_struct___other {
	int on_cpu;
	struct pid *thread_pid;
	struct css_set *cgroups;
	const struct cred *cred;
};

#pragma clang attribute pop

/* Whether a task runs at the moment; false where the kernel does not tell. In 7.3 this is a byte, with others behind it. */
static __always_inline bool is_on_cpu(const struct task_struct *task)
{
	const struct task_struct___other *other = (const void *)task;
	int on_cpu = 0;

	if (bpf_core_field_exists(other->on_cpu))
		bpf_core_read(&on_cpu, bpf_core_field_size(other->on_cpu), &other->on_cpu);
	return on_cpu;
}

/* The inode of the innermost pid namespace that a task is in. */
static __always_inline unsigned int task_pidns(struct task_struct *task)
{
	struct pid *pid = BPF_CORE_READ((struct task_struct___other *)task, thread_pid);
	unsigned int level = BPF_CORE_READ(pid, level);
	void *innermost = (void *)pid + bpf_core_field_offset(struct pid, numbers) +
			  level * bpf_core_type_size(struct upid);
	struct pid_namespace *ns = NULL;

	bpf_probe_read_kernel(&ns, sizeof(ns), innermost + bpf_core_field_offset(struct upid, ns));
	return BPF_CORE_READ(ns, ns.inum);
}

static __always_inline bool task_in_cgroup(struct task_struct *task, cgroup_id_t id)
{
	struct cgroup *cgroup = BPF_CORE_READ((struct task_struct___other *)task, cgroups, dfl_cgrp);

	for (int i = 0; i < CGROUP_DEPTH && cgroup; i++) {
		struct cgroup_subsys_state *parent;

		if (BPF_CORE_READ(cgroup, kn, id) == id)
			return true;
		parent = BPF_CORE_READ(cgroup, self.parent);
		cgroup = parent ? (void *)parent - bpf_core_field_offset(struct cgroup, self) : NULL;
	}
	return false;
}

/* wanted_task() of filter.h, for a task that need not be the current one. */
static __always_inline bool wanted_other_task(struct task_struct *task)
{
	if (filter_pid && BPF_CORE_READ(task, tgid) != filter_pid)
		return false;
	if (filter_tid && BPF_CORE_READ(task, pid) != filter_tid)
		return false;
	if (filter_uid != NO_UID && BPF_CORE_READ((struct task_struct___other *)task, cred, uid.val) != filter_uid)
		return false;
	if (filter_cgroup && !task_in_cgroup(task, filter_cgroup_id))
		return false;
	if (filter_cgroupmap) {
		__u64 id = BPF_CORE_READ((struct task_struct___other *)task, cgroups, dfl_cgrp, kn, id);

		if (!bpf_map_lookup_elem(&filter_cgroupmap_ids, &id))
			return false;
	}
	if (filter_mntnsmap) {
		__u64 inum = BPF_CORE_READ(task, nsproxy, mnt_ns, ns.inum);

		if (!bpf_map_lookup_elem(&filter_mntnsmap_ids, &inum))
			return false;
	}
	if (filter_comm[0]) {
		char comm[16];

		BPF_CORE_READ_STR_INTO(&comm, task, comm);
		return wanted_comm(comm);
	}
	return true;
}

#endif
