// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* How long tasks wait for a processor once they can run. */
#include "core.h"
#include "hist.h"
#include "run-queue.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_tracing.h>

const volatile bool by_pid = false;
const volatile bool by_tid = false;
const volatile bool by_pidns = false;

struct key {
	pid_t pid;
	thread_t tid;
	namespace_t pidns;
};

struct latency {
	slot_t slots[HIST_SLOTS];
	count_t total;
	comm_t comm[16];
};

HISTOGRAMS_WITH(hists, struct key, struct latency, 10240);

SEC("tp_btf/sched_switch")
int BPF_PROG(sched_switch__tp_btf, bool preempt, struct task_struct *prev, struct task_struct *next)
{
	struct key key = {};
	struct latency *latency;
	__u64 time;

	if (!has_waited(preempt, prev, next, &time))
		return 0;
	if (by_pid || by_tid)
		key.pid = BPF_CORE_READ(next, tgid);
	if (by_tid)
		key.tid = BPF_CORE_READ(next, pid);
	if (by_pidns)
		key.pidns = task_pidns(next);
	latency = hist_add(hists, &key, time);
	if (latency && (by_pid || by_tid))
		BPF_CORE_READ_STR_INTO(&latency->comm, next, comm);
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
