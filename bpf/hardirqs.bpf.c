// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* How often and how long handlers of hard interrupts run, by the name of the handler. */
#include "core.h"
#include "cpu-filter.h"
#include "filter.h"
#include "hist.h"
#include "irq.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_tracing.h>

const volatile bool count_only = false;
const volatile bool per_cpu = false;

struct key {
	text_t hardirq[64];
	cpu_t cpu;
};

HISTOGRAMS(hists, struct key, 10240);

/* When the handler began that runs now: they run with interrupts off, so there is one on each CPU at most. */
SCRATCH(starts, __u64, 1);

static __always_inline void add(struct irqaction *action, __u64 time)
{
	struct key key = {};

	bpf_probe_read_kernel_str(key.hardirq, sizeof(key.hardirq), BPF_CORE_READ(action, name));
	if (per_cpu)
		key.cpu = bpf_get_smp_processor_id();
	hist_add(hists, &key, time);
}

SEC("tp_btf/irq_handler_entry")
int BPF_PROG(irq_handler_entry__tp_btf, int irq, struct irqaction *action)
{
	__u64 *start;

	if (!wanted_cpu())
		return 0;
	if (!wanted_container())
		return 0;
	if (count_only) {
		add(action, 0);
		return 0;
	}
	start = scratch(starts, 0);
	if (start)
		*start = bpf_ktime_get_ns();
	return 0;
}

SEC("tp_btf/irq_handler_exit")
int BPF_PROG(irq_handler_exit__tp_btf, int irq, struct irqaction *action)
{
	__u64 *start = scratch(starts, 0);
	__u64 time;

	/* Not wanted, or running already when the tracing began. */
	if (!start || !*start)
		return 0;
	time = bpf_ktime_get_ns() - *start;
	*start = 0;
	add(action, time);
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
