// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* How many processes and threads begin. */
#include "filter.h"
#include "table.h"
#include <bpf/bpf_tracing.h>

struct value {
	count_t processes;
	count_t threads;
};

TOTALS(counts, struct value);

SEC("tp_btf/sched_process_fork")
int BPF_PROG(sched_process_fork__tp_btf, struct task_struct *parent, struct task_struct *child)
{
	struct value *value;

	if (!wanted_task(bpf_get_current_pid_tgid()))
		return 0;
	value = totals_row(counts);
	if (!value)
		return 0;
	if (child->pid == child->tgid)
		__sync_fetch_and_add(&value->processes, 1);
	else
		__sync_fetch_and_add(&value->threads, 1);
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
