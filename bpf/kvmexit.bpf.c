// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* Why virtual machines are left. */
#include "filter.h"
#include "table.h"

const volatile bool per_thread = true;
const volatile bool one_vcpu = false;
const volatile __u32 filter_vcpu = 0;
const volatile bool some_threads = false;

/* User space fills it with the threads that are wanted. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 4096);
	__type(key, thread_t);
	__type(value, __u8);
} filter_tids SEC(".maps");

struct key {
	pid_t pid;
	thread_t tid;
	__u32 isa;
	__u32 code;
};

struct value {
	count_t count;
};

TABLE(exits, struct key, struct value, 65536);

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct trace_event_raw_kvm_exit {
	unsigned int exit_reason;
	__u32 isa;
	unsigned int vcpu_id;
};

#pragma clang attribute pop

SEC("tp/kvm/kvm_exit")
int kvm_exit__tp(struct trace_event_raw_kvm_exit *ctx)
{
	__u64 id = bpf_get_current_pid_tgid();
	struct key key = { .pid = id >> 32, .code = ctx->exit_reason };
	thread_t tid = id;
	struct value *value;

	if (!wanted_task(id) || (some_threads && !bpf_map_lookup_elem(&filter_tids, &tid)))
		return 0;
	if (one_vcpu && ctx->vcpu_id != filter_vcpu)
		return 0;
	if (bpf_core_field_exists(ctx->isa))
		key.isa = ctx->isa;
	if (per_thread)
		key.tid = tid;
	value = table_row(exits, &key);
	if (value)
		__sync_fetch_and_add(&value->count, 1);
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
