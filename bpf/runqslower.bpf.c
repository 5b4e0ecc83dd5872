// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* Tasks that wait long for a processor once they can run. */
#include "core.h"
#include "events.h"
#include "run-queue.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_tracing.h>

const volatile us_t min_wait = 10000;

struct event {
	EVENT_HEAD;
	ns_t latency;
	cpu_t cpu;
	pid_t prev_pid;
	thread_t prev_tid;
	comm_t prev_comm[16];
};

EVENT_RING(events, event);

SEC("tp_btf/sched_switch")
int BPF_PROG(sched_switch__tp_btf, bool preempt, struct task_struct *prev, struct task_struct *next)
{
	struct event *event;
	__u64 time;

	if (!has_waited(preempt, prev, next, &time) || time / 1000 < min_wait)
		return 0;
	event = event_reserve(events, event);
	if (!event)
		return 0;
	event->time = bpf_ktime_get_boot_ns();
	event->pid = BPF_CORE_READ(next, tgid);
	event->tid = BPF_CORE_READ(next, pid);
	event->uid = BPF_CORE_READ((struct task_struct___other *)next, cred, uid.val);
	BPF_CORE_READ_STR_INTO(&event->comm, next, comm);
	event->latency = time;
	event->cpu = bpf_get_smp_processor_id();
	event->prev_pid = BPF_CORE_READ(prev, tgid);
	event->prev_tid = BPF_CORE_READ(prev, pid);
	BPF_CORE_READ_STR_INTO(&event->prev_comm, prev, comm);
	event_submit(event);
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
