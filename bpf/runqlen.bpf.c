// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* How many tasks wait for the processors, by samples. */
#include "core.h"
#include "hist.h"
#include "rq.h"
#include <bpf/bpf_helpers.h>

const volatile bool per_cpu = false;
const volatile bool own_queue = false;

struct key {
	cpu_t cpu;
};

HISTOGRAMS(hists, struct key, 4096);

SEC("perf_event")
int sample(void *ctx)
{
	struct task_struct___queue *task = (void *)bpf_get_current_task();
	struct key key = { .cpu = per_cpu ? bpf_get_smp_processor_id() : 0 };
	__u32 tasks = own_queue ? tasks_in_own_queue(task) : tasks_in_queue(queue_of(task));

	/* All but the one that runs. */
	tasks -= tasks > 0;
	hist_add_slot(hists, &key, tasks, linear_slot(tasks, 1));
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
