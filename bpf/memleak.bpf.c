// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* Memory that was allocated and not given back, by the stack of who allocated it. */
#include "core.h"
#include "filter.h"
#include "probe.h"
#include "stack.h"
#include "table.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_tracing.h>

const volatile bytes_t min_size = 0;
const volatile bytes_t max_size = 0;	/* 0: any */
const volatile __u32 sample_rate = 1;
const volatile bool keep_totals = false;
const volatile bool trace = false;
const volatile __u32 page_bytes = 4096;

/* Numbers that may be the same in different worlds. */
enum world {
	objects,
	pages,
	per_cpu,
};

struct held {
	addr_t address;
	pid_t pid;		/* 0: the kernel */
	enum world world;
};

struct hold {
	bytes_t bytes;
	__u64 since;
	stack_id_t stack;
};

COUNTED_MAP(holds, BPF_MAP_TYPE_HASH, struct held, struct hold, 1000000);

struct holder {
	pid_t pid;
	stack_id_t stack;
};

struct sum {
	bytes_t bytes;
	count_t count;
};

TABLE(totals, struct holder, struct sum, 16384);
STACKS(stacks);

enum operation {
	ALLOC,
	FREE,
};

/* For who wants to see each. */
struct event {
	boot_ns_t time;
	addr_t address;
	bytes_t bytes;
	maybe_pid_t pid;
	thread_t tid;
	comm_t comm[16];
	enum operation operation;
};

EVENT_RING(events, event);

static __always_inline void tell(enum operation operation, const struct held *held, __u64 bytes)
{
	struct event *event = trace ? event_reserve(events, event) : NULL;

	if (!event)
		return;
	event->time = bpf_ktime_get_boot_ns();
	event->address = held->address;
	event->bytes = bytes;
	event->pid = held->pid;
	event->tid = bpf_get_current_pid_tgid();
	bpf_get_current_comm(event->comm, sizeof(event->comm));
	event->operation = operation;
	event_submit(event);
}

static __always_inline void add_to_total(const struct held *held, const struct hold *hold, __s64 sign)
{
	struct holder holder = { .pid = held->pid, .stack = hold->stack };
	struct sum *sum = keep_totals ? table_row(totals, &holder) : NULL;

	if (sum) {
		__sync_fetch_and_add(&sum->bytes, sign * (__s64)hold->bytes);
		__sync_fetch_and_add(&sum->count, sign);
	}
}

static __always_inline void let_go(const struct held *held, bool told)
{
	struct hold *hold = bpf_map_lookup_elem(&holds, held);

	if (hold) {
		if (told)
			tell(FREE, held, hold->bytes);
		add_to_total(held, hold, -1);
		bpf_map_delete_elem(&holds, held);
	}
}

static __always_inline void take(const struct held *held, const struct hold *hold)
{
	/* If it was taken before, somebody gave it back unseen. */
	let_go(held, false);
	if (bpf_map_update_elem(&holds, held, hold, BPF_ANY))
		COUNT_DROPPED(holds);
	else
		add_to_total(held, hold, 1);
}

static __always_inline bool wanted_size(__u64 bytes)
{
	if (bytes < min_size || (max_size && bytes > max_size))
		return false;
	return sample_rate <= 1 || bpf_get_prandom_u32() % sample_rate == 0;
}

/* A call of an allocator of the C library. */
struct call {
	__u64 stack_pointer;
	__u64 bytes;
	void **result;		/* where the address goes; NULL: it is what the call returns */
	struct held before;	/* given up if the call succeeds */
	struct hold hold_before;
	bool replaces;
	bool wanted;
};

ENTRY_MAP(calls, struct call);

/*
 * One allocator calls another one, but only the outermost is what the program
 * asked for. Its frame is the one that is further up; a call that never
 * returned has one that is not.
 */
static __always_inline int call_begins(struct pt_regs *ctx, __u64 bytes, void **result, void *before)
{
	__u64 id = bpf_get_current_pid_tgid();
	struct call call = { .stack_pointer = PT_REGS_SP(ctx), .bytes = bytes, .result = result };
	struct call *outer;
	struct hold *hold;

	if (!wanted_ids(id))
		return 0;
	outer = entry_find(calls);
	if (outer && call.stack_pointer < outer->stack_pointer)
		return 0;
	call.wanted = wanted_size(bytes);
	if (before) {
		call.before.address = (__u64)before;
		call.before.pid = id >> 32;
		hold = bpf_map_lookup_elem(&holds, &call.before);
		if (hold) {
			call.hold_before = *hold;
			call.replaces = true;
			/* Another thread may get the address before this call returns. */
			let_go(&call.before, false);
		}
	}
	entry_keep(calls, &call);
	return 0;
}

SEC("uprobe")
int BPF_KPROBE(malloc_begins, __u64 bytes)
{
	return call_begins(ctx, bytes, NULL, NULL);
}

SEC("uprobe")
int BPF_KPROBE(calloc_begins, __u64 count, __u64 bytes)
{
	return call_begins(ctx, count * bytes, NULL, NULL);
}

SEC("uprobe")
int BPF_KPROBE(realloc_begins, void *before, __u64 bytes)
{
	return call_begins(ctx, bytes, NULL, before);
}

/* Of memory that is mapped, too, the length comes second. */
SEC("uprobe")
int BPF_KPROBE(aligned_begins, __u64 alignment, __u64 bytes)
{
	return call_begins(ctx, bytes, NULL, NULL);
}

SEC("uprobe")
int BPF_KPROBE(posix_memalign_begins, void **result, __u64 alignment, __u64 bytes)
{
	return call_begins(ctx, bytes, result, NULL);
}

SEC("uprobe")
int BPF_KPROBE(mremap_begins, void *before, __u64 length, __u64 bytes)
{
	return call_begins(ctx, bytes, NULL, before);
}

SEC("uretprobe")
int BPF_KRETPROBE(call_ends, __u64 returned)
{
	struct call *call = entry_find(calls);
	struct held held = { .pid = bpf_get_current_pid_tgid() >> 32 };
	struct hold hold = {};
	__u64 address = returned;
	bool failed;

	if (!call || PT_REGS_SP(ctx) < call->stack_pointer)
		return 0;
	if (call->result) {
		failed = returned;
		bpf_probe_read_user(&address, sizeof(address), call->result);
	} else {
		failed = !returned || returned == (__u64)-1;
	}
	if (failed) {
		/* realloc(p, 0) gives p back and returns nothing. */
		if (call->replaces && call->bytes)
			take(&call->before, &call->hold_before);
	} else {
		if (call->replaces)
			tell(FREE, &call->before, call->hold_before.bytes);
		if (!call->wanted)
			goto out;
		held.address = address;
		hold.bytes = call->bytes;
		hold.since = bpf_ktime_get_ns();
		hold.stack = user_stack(ctx, stacks);
		take(&held, &hold);
		tell(ALLOC, &held, hold.bytes);
	}
out:
	entry_forget(calls);
	return 0;
}

SEC("uprobe")
int BPF_KPROBE(free_begins, void *address)
{
	struct held held = { .address = (__u64)address, .pid = bpf_get_current_pid_tgid() >> 32 };

	if (!filter_pid || held.pid == filter_pid)
		let_go(&held, true);
	return 0;
}

/* The kernel's own. */
#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

/* Before 11e9734bcb6a ("mm/slab_common: unify NUMA and UMA version of tracepoints", 6.1) */
struct trace_event_raw_kmem_alloc {
	const void *ptr;
	unsigned long bytes_alloc;
};

struct trace_event_raw_kmem_alloc_node {
	const void *ptr;
	unsigned long bytes_alloc;
};

struct trace_event_raw_kmalloc {
	const void *ptr;
	unsigned long bytes_alloc;
};

struct trace_event_raw_kmem_cache_alloc {
	const void *ptr;
	unsigned long bytes_alloc;
};

/* Before 3544de8ee6e4 ("mm, tracing: record slab name for kmem_cache_free()", 5.12) */
struct trace_event_raw_kmem_free {
	const void *ptr;
};

struct trace_event_raw_kfree {
	const void *ptr;
};

struct trace_event_raw_kmem_cache_free {
	const void *ptr;
};

struct trace_event_raw_mm_page_alloc {
	unsigned long pfn;
	unsigned int order;
};

struct trace_event_raw_mm_page_free {
	unsigned long pfn;
};

struct trace_event_raw_percpu_alloc_percpu {
	unsigned long size;
	void *ptr;
};

struct trace_event_raw_percpu_free_percpu {
	void *ptr;
};

#pragma clang attribute pop

static __always_inline int kernel_takes(void *ctx, enum world world, __u64 address, __u64 bytes)
{
	struct held held = { .address = address, .world = world };
	struct hold hold = { .bytes = bytes };

	if (!address || !wanted_size(bytes) || !wanted_ids(bpf_get_current_pid_tgid()))
		return 0;
	hold.since = bpf_ktime_get_ns();
	hold.stack = kernel_stack(ctx, stacks);
	take(&held, &hold);
	tell(ALLOC, &held, bytes);
	return 0;
}

static __always_inline int kernel_gives(enum world world, __u64 address)
{
	struct held held = { .address = address, .world = world };

	let_go(&held, true);
	return 0;
}

#define TAKES(record) kernel_takes(ctx, objects, (__u64)((struct record *)ctx)->ptr, ((struct record *)ctx)->bytes_alloc)
#define GIVES(record) kernel_gives(objects, (__u64)((struct record *)ctx)->ptr)
#define HAS(record) bpf_core_type_exists(struct record)

SEC("tp/kmem/kmalloc")
int kmalloc__tp(void *ctx)
{
	return HAS(trace_event_raw_kmalloc) ? TAKES(trace_event_raw_kmalloc) : TAKES(trace_event_raw_kmem_alloc);
}

SEC("tp/kmem/kmem_cache_alloc")
int kmem_cache_alloc__tp(void *ctx)
{
	return HAS(trace_event_raw_kmem_cache_alloc) ? TAKES(trace_event_raw_kmem_cache_alloc) :
						       TAKES(trace_event_raw_kmem_alloc);
}

SEC("tp/kmem/kmalloc_node")
int kmalloc_node__tp(void *ctx)
{
	return TAKES(trace_event_raw_kmem_alloc_node);
}

SEC("tp/kmem/kmem_cache_alloc_node")
int kmem_cache_alloc_node__tp(void *ctx)
{
	return TAKES(trace_event_raw_kmem_alloc_node);
}

SEC("tp/kmem/kfree")
int kfree__tp(void *ctx)
{
	return HAS(trace_event_raw_kfree) ? GIVES(trace_event_raw_kfree) : GIVES(trace_event_raw_kmem_free);
}

SEC("tp/kmem/kmem_cache_free")
int kmem_cache_free__tp(void *ctx)
{
	return HAS(trace_event_raw_kmem_cache_free) ? GIVES(trace_event_raw_kmem_cache_free) :
						      GIVES(trace_event_raw_kmem_free);
}

/* A page frame that could not be had has the number -1. */
SEC("tp/kmem/mm_page_alloc")
int mm_page_alloc__tp(struct trace_event_raw_mm_page_alloc *ctx)
{
	return ctx->pfn == (unsigned long)-1 ? 0 : kernel_takes(ctx, pages, ctx->pfn, (__u64)page_bytes << ctx->order);
}

SEC("tp/kmem/mm_page_free")
int mm_page_free__tp(struct trace_event_raw_mm_page_free *ctx)
{
	return kernel_gives(pages, ctx->pfn);
}

SEC("tp/percpu/percpu_alloc_percpu")
int percpu_alloc__tp(struct trace_event_raw_percpu_alloc_percpu *ctx)
{
	return kernel_takes(ctx, per_cpu, (__u64)ctx->ptr, ctx->size);
}

SEC("tp/percpu/percpu_free_percpu")
int percpu_free__tp(struct trace_event_raw_percpu_free_percpu *ctx)
{
	return kernel_gives(per_cpu, (__u64)ctx->ptr);
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
