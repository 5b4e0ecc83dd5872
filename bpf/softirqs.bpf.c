// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* How often and how long soft interrupts run, by vector. */
#include "core.h"
#include "hist.h"
#include "irq.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

struct key {
	__u32 vector;
	cpu_t cpu;
};

HISTOGRAMS(hists, struct key, 10240);

static __always_inline void add(__u32 vector, __u64 time)
{
	struct key key = { .vector = vector };

	if (per_cpu)
		key.cpu = bpf_get_smp_processor_id();
	hist_add(hists, &key, time);
}

SEC("tp_btf/softirq_entry")
int BPF_PROG(softirq_entry__tp_btf, unsigned int vector)
{
	if (!wanted_cpu())
		return 0;
	if (count_only) {
		add(vector, 0);
		return 0;
	}
	irq_begins();
	return 0;
}

SEC("tp_btf/softirq_exit")
int BPF_PROG(softirq_exit__tp_btf, unsigned int vector)
{
	__u64 time;

	if (irq_ends(&time))
		add(vector, time);
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
