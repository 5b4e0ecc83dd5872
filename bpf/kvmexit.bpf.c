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
	__u32 how;	/* whose virtualization it is; on arm64: whether an instruction was trapped */
	__u32 code;
};

struct value {
	count_t count;
};

TABLE(exits, struct key, struct value, 65536);

/* User space takes these from the record's format: it differs by architecture, and a module's types may be unknown. */
const volatile __u32 how_at = 0;
const volatile __u32 code_at = 0;
const volatile __u32 vcpu_at = 0;

static __always_inline __u32 field(const void *record, __u32 at)
{
	__u32 value = 0;

	if (at)
		bpf_probe_read_kernel(&value, sizeof(value), record + at);
	return value;
}

SEC("tp/kvm/kvm_exit")
int kvm_exit__tp(void *ctx)
{
	__u64 id = bpf_get_current_pid_tgid();
	struct key key = { .pid = id >> 32 };
	thread_t tid = id;

	if (!wanted_task(id) || (some_threads && !bpf_map_lookup_elem(&filter_tids, &tid)))
		return 0;
	if (one_vcpu && field(ctx, vcpu_at) != filter_vcpu)
		return 0;
	key.how = field(ctx, how_at);
	key.code = field(ctx, code_at);
	if (per_thread)
		key.tid = tid;
	table_add(exits, &key, count, 1);
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
