// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* The cgroups that have a limit of processor time, found by the tasks in them. */
#include "core.h"
#include "iter.h"
#include "events.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_tracing.h>

#define UNLIMITED (~0ULL)
#define GROUP_DEPTH 16
#define PATH_DEPTH 32
#define PATH_ROOM 1024
#define NAME_ROOM 256

struct row {
	cgroup_id_t cgroup;
	count_t periods;
	count_t throttled;
	ns_t throttled_time;
	count_t bursts;
	ns_t burst_time;
	maybe_ns_t quota;
	maybe_ns_t quota_period;	/* of a period */
	dentry_path_t path[PATH_ROOM];
};

const struct row *const rows_record SEC(".types");

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct kernfs_node {
	__u64 id;
	const char *name;
	struct kernfs_node *parent;
};

/* 633488947ef6 ("kernfs: Use RCU to access kernfs_node::parent.", 6.15) */
struct kernfs_node___rcu {
	struct kernfs_node *__parent;
};

struct cgroup {
	struct kernfs_node *kn;
};

struct cgroup_subsys_state {
	struct cgroup *cgroup;
};

struct cfs_bandwidth {
	__s64 period;
	__u64 quota;
	int nr_periods;
	int nr_throttled;
	__u64 throttled_time;
	/* bcb1704a1ed2 ("sched/fair: Add cfs bandwidth burst statistics", 5.15) */
	int nr_burst;
	__u64 burst_time;
};

struct task_group {
	struct cgroup_subsys_state css;
	struct task_group *parent;
	struct cfs_bandwidth cfs_bandwidth;
};

struct task_struct___group {
	struct task_group *sched_task_group;
};

#pragma clang attribute pop

/* In which reading, and at which of its tasks, a group was met first. */
struct met {
	__u64 session;
	__u64 task;
};

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 16384);
	__type(key, __u64);
	__type(value, struct met);
} groups SEC(".maps");

SCRATCH(row_scratch, struct row, 1);

/* Whether the group comes up for the first time. The kernel asks again for a task whose rows found no room. */
static __always_inline bool is_new(struct task_group *group, struct bpf_iter_meta *meta)
{
	struct met now = { .session = meta->session_id, .task = meta->seq_num };
	__u64 key = (__u64)group;
	struct met *before = bpf_map_lookup_elem(&groups, &key);

	if (before && before->session == now.session)
		return before->task == now.task;
	bpf_map_update_elem(&groups, &key, &now, BPF_ANY);
	return true;
}

static __always_inline struct kernfs_node *parent_of(struct kernfs_node *node)
{
	struct kernfs_node___rcu *rcu = (void *)node;

	return bpf_core_field_exists(rcu->__parent) ? BPF_CORE_READ(rcu, __parent) : BPF_CORE_READ(node, parent);
}

static __always_inline void read_path(struct row *row, struct kernfs_node *node)
{
	__u32 at = 0;

	__builtin_memset(row->path, 0, sizeof(row->path));
	for (int i = 0; i < PATH_DEPTH && node && at < PATH_ROOM - NAME_ROOM; i++) {
		struct kernfs_node *parent = parent_of(node);
		long length = bpf_probe_read_kernel_str(row->path + at, NAME_ROOM, BPF_CORE_READ(node, name));

		if (length < 0 || length > NAME_ROOM)
			return;
		at += length;
		node = parent;
	}
}

static __always_inline void write(struct bpf_iter_meta *meta, struct task_group *group, struct row *row)
{
	struct cfs_bandwidth *limit = &group->cfs_bandwidth;
	struct kernfs_node *node = BPF_CORE_READ(group, css.cgroup, kn);
	__u64 quota = BPF_CORE_READ(limit, quota);

	/* Only groups that the kernel makes for sessions have no cgroup. */
	if (quota == UNLIMITED || !node || !is_new(group, meta))
		return;
	row->cgroup = BPF_CORE_READ(node, id);
	row->periods = BPF_CORE_READ(limit, nr_periods);
	row->throttled = BPF_CORE_READ(limit, nr_throttled);
	row->throttled_time = BPF_CORE_READ(limit, throttled_time);
	row->bursts = bpf_core_field_exists(limit->nr_burst) ? BPF_CORE_READ(limit, nr_burst) : 0;
	row->burst_time = bpf_core_field_exists(limit->burst_time) ? BPF_CORE_READ(limit, burst_time) : 0;
	row->quota = quota;
	row->quota_period = BPF_CORE_READ(limit, period);
	read_path(row, node);
	bpf_seq_write(meta->seq, row, sizeof(*row));
}

SEC("iter/task")
int tasks(struct bpf_iter__task *ctx)
{
	struct task_struct *task = ctx->task;
	struct row *row = scratch(row_scratch, 0);
	struct task_group *group;

	if (!task || !row)
		return 0;
	group = BPF_CORE_READ((struct task_struct___group *)task, sched_task_group);
	for (int i = 0; i < GROUP_DEPTH && group; i++) {
		write(ctx->meta, group, row);
		group = BPF_CORE_READ(group, parent);
	}
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
