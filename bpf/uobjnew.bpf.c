// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* New objects of languages, by type; blocks of C, by size. */
#include "filter.h"
#include "table.h"
#include "usdt.h"

#define TYPE_MAX 128

struct kind {
	pid_t pid;
	maybe_bytes_t size;	/* of a block of C */
	maybe_text_t type[TYPE_MAX];
};

struct amount {
	count_t allocs;
	bytes_t bytes;		/* where the runtime says how many */
};

TABLE(allocations, struct kind, struct amount, 65536);

static __always_inline int add(struct kind *kind, __u64 bytes)
{
	struct amount *amount;

	kind->pid = bpf_get_current_pid_tgid() >> 32;
	amount = table_row(allocations, kind);
	if (!amount)
		return 0;
	__sync_fetch_and_add(&amount->allocs, 1);
	/* Of a constant 0 clang makes an atomic operation that 5.10 does not have. */
	if (bytes)
		__sync_fetch_and_add(&amount->bytes, bytes);
	return 0;
}

#define OBJECTS(name, read_type, bytes)					\
SEC("usdt")								\
int name(struct pt_regs *ctx)						\
{									\
	struct kind kind = {};						\
									\
	if (!wanted_task(bpf_get_current_pid_tgid()))			\
		return 0;						\
	read_type;							\
	return add(&kind, bytes);					\
}

/* HotSpot has a size, but leaves it out where its code was generated: there it is what is in a register. */
OBJECTS(java_creates, usdt_counted_text(kind.type, TYPE_MAX, ctx, 1), 0)
OBJECTS(ruby_creates, usdt_text(kind.type, TYPE_MAX, ctx, 0), 0)
OBJECTS(ruby_creates_string, __builtin_memcpy(kind.type, "String", 6), usdt_number(ctx, 0))
OBJECTS(ruby_creates_array, __builtin_memcpy(kind.type, "Array", 5), 0)
OBJECTS(ruby_creates_hash, __builtin_memcpy(kind.type, "Hash", 4), 0)
OBJECTS(tcl_creates, __builtin_memcpy(kind.type, "Tcl_Obj", 7), 0)

static __always_inline int add_block(__u64 size)
{
	struct kind kind = { .size = size };

	return wanted_task(bpf_get_current_pid_tgid()) ? add(&kind, size) : 0;
}

SEC("uprobe")
int BPF_KPROBE(c_allocates, __u64 size)
{
	return add_block(size);
}

SEC("uprobe")
int BPF_KPROBE(c_allocates_many, __u64 count, __u64 size)
{
	return add_block(count * size);
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
