// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* How long and how often soft interrupts run, by vector. */
#include "core.h"
#include "hist.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

const volatile bool nanoseconds = false;
const volatile int filter_cpu = -1;

enum softirq {
	hi,
	timer,
	net_tx,
	net_rx,
	block,
	irq_poll,
	tasklet,
	sched,
	hrtimer,
	rcu,
};

struct key {
	enum softirq softirq;
};

HISTOGRAMS(hists, struct key, 16);

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u64);
} starts SEC(".maps");

SEC("tp_btf/softirq_entry")
int BPF_PROG(softirq_entry__tp_btf, unsigned int vector)
{
	__u64 now = bpf_ktime_get_ns();
	__u32 zero = 0;

	if (filter_cpu >= 0 && bpf_get_smp_processor_id() != filter_cpu)
		return 0;
	bpf_map_update_elem(&starts, &zero, &now, BPF_ANY);
	return 0;
}

SEC("tp_btf/softirq_exit")
int BPF_PROG(softirq_exit__tp_btf, unsigned int vector)
{
	struct key key = { .softirq = vector };
	__u32 zero = 0;
	__u64 *start = bpf_map_lookup_elem(&starts, &zero);
	__u64 time;

	/* Already running when the tracing began. */
	if (!start || !*start)
		return 0;
	time = bpf_ktime_get_ns() - *start;
	*start = 0;
	if (!nanoseconds)
		time /= 1000;
	hist_add(hists, &key, time);
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
