// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* Threads that are moved to a processor of another NUMA node. */
#include "core.h"
#include "events.h"
#include "other-task.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_tracing.h>

#define CPUS_MAX 4096

/* User space knows. */
const volatile __u16 node_of_cpu[CPUS_MAX] = {};

struct event {
	boot_ns_t time;
	pid_t pid;
	thread_t tid;
	__u32 src_nid;
	__u32 dst_nid;
	cpu_t src_cpu;
	cpu_t dst_cpu;
	comm_t comm[16];
};

EVENT_RING(events, event);

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct thread_info {
	__u32 cpu;
};

struct task_struct___thread_info {
	struct thread_info thread_info;
};

/* Before bcf9033e5449 ("sched: move CPU field back into thread_info if THREAD_INFO_IN_TASK=y", 5.16). */
struct task_struct___cpu {
	unsigned int cpu;
};

#pragma clang attribute pop

static __always_inline __u32 cpu_of(struct task_struct *task)
{
	struct task_struct___cpu *old = (void *)task;

	if (bpf_core_field_exists(old->cpu))
		return BPF_CORE_READ(old, cpu);
	return BPF_CORE_READ((struct task_struct___thread_info *)task, thread_info.cpu);
}

static __always_inline __u32 node_of(__u32 cpu)
{
	/* Else clang knows that the mask does nothing; the verifier does not. */
	asm volatile("" : "+r"(cpu));
	return node_of_cpu[cpu & (CPUS_MAX - 1)];
}

SEC("tp_btf/sched_migrate_task")
int BPF_PROG(sched_migrate_task__tp_btf, struct task_struct *task, unsigned int dst_cpu)
{
	__u32 src_cpu = cpu_of(task), src_nid = node_of(src_cpu), dst_nid = node_of(dst_cpu);
	struct event *event;

	if (src_nid == dst_nid || !wanted_other_task(task))
		return 0;
	event = event_reserve(events, event);
	if (!event)
		return 0;
	event->time = bpf_ktime_get_boot_ns();
	event->pid = BPF_CORE_READ(task, tgid);
	event->tid = BPF_CORE_READ(task, pid);
	event->src_nid = src_nid;
	event->dst_nid = dst_nid;
	event->src_cpu = src_cpu;
	event->dst_cpu = dst_cpu;
	BPF_CORE_READ_STR_INTO(&event->comm, task, comm);
	event_submit(event);
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
