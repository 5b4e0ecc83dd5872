// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* Processes that the kernel kills for want of memory. */
#include "core.h"
#include "events.h"
#include "probe.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_tracing.h>

struct event {
	boot_ns_t time;
	maybe_pid_t pid;	/* of the task that found no memory */
	maybe_comm_t comm[16];
	cgroup_id_t cgroup;
	pid_t tpid;		/* of the victim */
	maybe_comm_t tcomm[16];
	maybe_count_t pages;	/* what there is to share */
	mark_t memcg;		/* not of the machine, but of a cgroup with a limit */
	maybe_bytes_t total_vm;
	maybe_bytes_t anon_rss;
	maybe_bytes_t file_rss;
	maybe_bytes_t shmem_rss;
	maybe_bytes_t pgtables;
};

EVENT_RING(events, event);

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct mem_cgroup;

struct oom_control {
	struct mem_cgroup *memcg;
	unsigned long totalpages;
	struct task_struct *chosen;
};

/* Before 72ba14deb40a ("mm: update mark_victim tracepoints fields", 6.9) there was only the pid. */
struct trace_event_raw_mark_victim {
	int pid;
	__u32 __data_loc_comm;
	unsigned long total_vm;
	unsigned long anon_rss;
	unsigned long file_rss;
	unsigned long shmem_rss;
	unsigned long pgtables;
};

#pragma clang attribute pop

/* What a thread that kills is about to kill for. */
struct reason {
	pid_t chosen;
	char comm[16];
	__u64 pages;
	bool memcg;
};

ENTRY_MAP(reasons, struct reason);

static __always_inline int kill_begins(struct oom_control *oc)
{
	struct task_struct *chosen = BPF_CORE_READ(oc, chosen);
	struct reason reason = {};

	reason.chosen = BPF_CORE_READ(chosen, tgid);
	BPF_CORE_READ_STR_INTO(&reason.comm, chosen, group_leader, comm);
	reason.pages = BPF_CORE_READ(oc, totalpages);
	reason.memcg = BPF_CORE_READ(oc, memcg) != NULL;
	entry_keep(reasons, &reason);
	return 0;
}

SEC("fentry/oom_kill_process")
int BPF_PROG(oom_kill_process__fentry, struct oom_control *oc)
{
	return kill_begins(oc);
}

SEC("kprobe/oom_kill_process")
int BPF_KPROBE(oom_kill_process__kprobe, struct oom_control *oc)
{
	return kill_begins(oc);
}

SEC("tp/oom/mark_victim")
int mark_victim__tp(struct trace_event_raw_mark_victim *ctx)
{
	struct reason *reason = entry_find(reasons);
	struct event *event = event_reserve(events, event);

	if (!event)
		return 0;
	event->time = bpf_ktime_get_boot_ns();
	event->pid = bpf_get_current_pid_tgid() >> 32;
	bpf_get_current_comm(event->comm, sizeof(event->comm));
	event->cgroup = bpf_get_current_cgroup_id();
	event->tpid = ctx->pid;
	if (reason) {
		event->pages = reason->pages;
		event->memcg = reason->memcg;
		if (reason->chosen == ctx->pid)
			__builtin_memcpy(event->tcomm, reason->comm, sizeof(event->tcomm));
	}
	if (bpf_core_field_exists(ctx->total_vm)) {
		bpf_probe_read_kernel_str(event->tcomm, sizeof(event->tcomm),
					  (void *)ctx + (ctx->__data_loc_comm & 0xffff));
		event->total_vm = ctx->total_vm << 10;
		event->anon_rss = ctx->anon_rss << 10;
		event->file_rss = ctx->file_rss << 10;
		event->shmem_rss = ctx->shmem_rss << 10;
		event->pgtables = ctx->pgtables << 10;
	}
	event_submit(event);
	return 0;
}

/* Until then a whole cgroup may be killed, for one and the same reason. */
SEC("fexit/oom_kill_process")
int BPF_PROG(oom_kill_process__fexit)
{
	entry_forget(reasons);
	return 0;
}

SEC("kretprobe/oom_kill_process")
int BPF_KRETPROBE(oom_kill_process__kretprobe)
{
	entry_forget(reasons);
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
