// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* How often and how long handlers of hard interrupts run, by the name of the handler. */
#include "core.h"
#include "filter.h"
#include "hist.h"
#include "irq.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_tracing.h>

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct irqaction {
	const char *name;
};

#pragma clang attribute pop

struct key {
	text_t hardirq[64];
	cpu_t cpu;
};

HISTOGRAMS(hists, struct key, 10240);

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
	if (!wanted_cpu())
		return 0;
	if (!wanted_container())
		return 0;
	if (count_only) {
		add(action, 0);
		return 0;
	}
	irq_begins();
	return 0;
}

SEC("tp_btf/irq_handler_exit")
int BPF_PROG(irq_handler_exit__tp_btf, int irq, struct irqaction *action)
{
	__u64 time;

	if (irq_ends(&time))
		add(action, time);
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
