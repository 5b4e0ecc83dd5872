// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* At which frequency processors work, by samples. */
#include "core.h"
#include "filter.h"
#include "hist.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#define MAX_CPUS 8192
/* Kilohertz. */
#define STEP 200000

const volatile bool per_cpu = false;
const volatile bool by_command = false;

struct key {
	cpu_t cpu;
	comm_t comm[16];
};

HISTOGRAMS(hists, struct key, 40960);

/* In kilohertz, of each processor; 0: not known. User space sets what they are at first. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, MAX_CPUS);
	__type(key, __u32);
	__type(value, __u32);
} frequencies SEC(".maps");

SEC("tp_btf/cpu_frequency")
int BPF_PROG(changed, unsigned int frequency, unsigned int cpu)
{
	bpf_map_update_elem(&frequencies, &cpu, &frequency, BPF_ANY);
	return 0;
}

SEC("perf_event")
int sample(void *ctx)
{
	__u64 id = bpf_get_current_pid_tgid();
	__u32 cpu = bpf_get_smp_processor_id();
	struct key key = { .cpu = per_cpu ? cpu : 0 };
	__u32 *frequency;

	/* The idle thread. */
	if (!(thread_t)id || !wanted_task(id))
		return 0;
	frequency = bpf_map_lookup_elem(&frequencies, &cpu);
	if (!frequency || !*frequency)
		return 0;
	if (by_command)
		bpf_get_current_comm(key.comm, sizeof(key.comm));
	hist_add_slot(hists, &key, *frequency, linear_slot(*frequency, STEP));
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
