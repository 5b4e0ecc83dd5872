/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * The filters that every tool has. They are read-only data set before load, so
 * the verifier removes the ones that are off. Call wanted_task() before any
 * other work.
 */
#ifndef KSCOPE_FILTER_H
#define KSCOPE_FILTER_H

#include "core.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>

#define NO_UID ((uid_t)-1)

const volatile pid_t filter_pid = 0;
const volatile thread_t filter_tid = 0;
const volatile uid_t filter_uid = NO_UID;
const volatile comm_t filter_comm[16] = {};	/* the exact name */
const volatile bool filter_cgroup = false;	/* slot 0 of filter_cgroup_array or below it */
const volatile bool filter_cgroupmap = false;
const volatile bool filter_mntnsmap = false;
const volatile __u32 filter_mntnsmap_steps[3] = {};	/* offsets: task, nsproxy, mnt_ns, ns.inum */
const volatile pid_t ignored_pid = 0;		/* the tracing process itself */

struct {
	__uint(type, BPF_MAP_TYPE_CGROUP_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u32);
} filter_cgroup_array SEC(".maps");

/* Sets of cgroup ids and mount namespace inodes: stand-ins for pinned maps of the same shape. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1);
	__type(key, __u64);
	__type(value, __u64);
} filter_cgroupmap_ids SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1);
	__type(key, __u64);
	__type(value, __u32);
} filter_mntnsmap_ids SEC(".maps");

static __always_inline bool wanted_ids(__u64 pid_tgid)
{
	pid_t pid = pid_tgid >> 32;

	if (ignored_pid && pid == ignored_pid)
		return false;
	if (filter_pid && pid != filter_pid)
		return false;
	if (filter_tid && (thread_t)pid_tgid != filter_tid)
		return false;
	return true;
}

static __always_inline bool wanted_uid(void)
{
	return filter_uid == NO_UID || (uid_t)bpf_get_current_uid_gid() == filter_uid;
}

static __always_inline bool wanted_comm(const char comm[16])
{
	if (!filter_comm[0])
		return true;
	for (int i = 0; i < 16; i++) {
		if (comm[i] != filter_comm[i])
			return false;
		if (!comm[i])
			break;
	}
	return true;
}

/*
 * The inode of the current mount namespace. User space tells the offsets if they
 * are wanted: libbpf would read all types of the kernel for them, which takes 12
 * ms, also for programs that need nothing else relocated.
 */
static __always_inline __u64 mount_namespace(void)
{
	const char *at = (const char *)bpf_get_current_task();
	__u32 inum = 0;

	bpf_probe_read_kernel(&at, sizeof(at), at + filter_mntnsmap_steps[0]);
	bpf_probe_read_kernel(&at, sizeof(at), at + filter_mntnsmap_steps[1]);
	bpf_probe_read_kernel(&inum, sizeof(inum), at + filter_mntnsmap_steps[2]);
	return inum;
}

static __always_inline bool wanted_container(void)
{
	if (filter_cgroup && bpf_current_task_under_cgroup(&filter_cgroup_array, 0) != 1)
		return false;
	if (filter_cgroupmap) {
		__u64 id = bpf_get_current_cgroup_id();

		if (!bpf_map_lookup_elem(&filter_cgroupmap_ids, &id))
			return false;
	}
	if (filter_mntnsmap) {
		__u64 inum = mount_namespace();

		if (!bpf_map_lookup_elem(&filter_mntnsmap_ids, &inum))
			return false;
	}
	return true;
}

/* True when the current task passes every filter; pid_tgid is bpf_get_current_pid_tgid(). */
static __always_inline bool wanted_task(__u64 pid_tgid)
{
	if (!wanted_ids(pid_tgid) || !wanted_uid() || !wanted_container())
		return false;
	if (filter_comm[0]) {
		char comm[16];

		bpf_get_current_comm(comm, sizeof(comm));
		return wanted_comm(comm);
	}
	return true;
}

#endif
