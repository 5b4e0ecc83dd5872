// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* Whether pages that were read ahead are used, and how much later. */
#include "file.h"
#include "file-calls.h"
#include "hist.h"
#include "page-use.h"
#include "syscall-exit.h"

/* What one event can be about: a call that reads more is seen up to here, and counted. */
#define MOST_PAGES 1024
#define MOST_FOLIO_PAGES 512

struct key {
	__u32 _all;
};

struct ages {
	slot_t slots[HIST_SLOTS];
	count_t total;
	count_t read;
	maybe_count_t read_so_far;
	maybe_count_t used_so_far;
};

TABLE(hists, struct key, struct ages, 1);

/* Pages that were read ahead and not used since. */
struct page_key {
	__u64 inode;
	__u64 index;
	dev_t dev;
	__u32 _pad;
};

COUNTED_MAP(pages, BPF_MAP_TYPE_HASH, struct page_key, __u64, 1 << 18);

/* What a thread reads ahead: anything, until the function returns, or these pages, in this order. */
struct ahead {
	bool any;
	dev_t dev;
	__u64 inode;
	__u64 next;
	__u64 end;
};

ENTRY_MAP(aheads, struct ahead);

/* A page that a thread touched before it was in the cache. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 16384);
	__type(key, thread_t);
	__type(value, struct page_key);
} missed SEC(".maps");

/* Not inlined, or the verifier would follow each value through each turn of the loops. */
__noinline int count_use(__u64 age)
{
	struct key key = {};
	struct ages *ages = hist_add(hists, &key, age);

	if (ages)
		__sync_fetch_and_add(&ages->used_so_far, 1);
	return 0;
}

static __always_inline struct page_key page_of(struct address_space *mapping, __u64 index)
{
	struct page_key key = { .index = index };

	key.inode = BPF_CORE_READ(mapping, host, i_ino);
	key.dev = BPF_CORE_READ(mapping, host, i_sb, s_dev);
	return key;
}

static __always_inline bool wanted_user(__u64 id)
{
	return true;
}

static __always_inline void pages_used(__u64 id, struct address_space *mapping, __u64 first, __u64 last)
{
	struct page_key key = page_of(mapping, first);
	__u64 now = bpf_ktime_get_ns(), then, *since;

	for (int i = 0; i < MOST_PAGES && key.index <= last; i++, key.index++) {
		since = bpf_map_lookup_elem(&pages, &key);
		if (!since)
			continue;
		then = *since;
		/* Of two that use it at once, one is the first. */
		if (!bpf_map_delete_elem(&pages, &key))
			count_use(now > then ? now - then : 0);
	}
	if (key.index <= last)
		COUNT_DROPPED(pages);
}

static __always_inline void page_missed(__u64 id, struct address_space *mapping, __u64 index)
{
	struct page_key key = page_of(mapping, index);
	thread_t tid = id;

	pages_used(id, mapping, index, index);
	bpf_map_update_elem(&missed, &tid, &key, BPF_ANY);
}

/* Those that were not got yet are not in the cache, or will be told again; pieces before one that has to wait are not. */
static __always_inline void pages_got(__u64 id, struct address_space *mapping, __u64 first, __u64 last)
{
	pages_used(id, mapping, first, last < first + MOST_PAGES ? last : first + MOST_PAGES - 1);
}

/* What the pieces leave out is seen where the system call returns. */
#define READ_TP(name, write, positioned) READ_TP_##write(name, positioned)
#define READ_TP_true(name, positioned)
#define READ_TP_false(name, positioned)					\
SEC("tp/syscalls/sys_exit_" #name)					\
int name##__tp(struct syscall_trace_exit *ctx)				\
{									\
	struct pt_regs *regs = current_user_regs();			\
	struct file *file = current_file(syscall_arg1(regs));		\
	long bytes = syscall_result(ctx);				\
	__s64 from = (positioned) ? syscall_arg4(regs) : -1;		\
									\
	if (!file)							\
		return 0;						\
	return read_up_to(file, from < 0 ? BPF_CORE_READ(file, f_pos) : from + bytes, bytes); \
}

FILE_IO_SYSCALLS(READ_TP)

/* Where the kernel does not tell of faults. What comes back is a set of flags. */
#define VM_FAULT_LOCKED 0x200

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct vm_area_struct {
	struct file *vm_file;
};

struct vm_fault {
	struct vm_area_struct *vma;
	unsigned long pgoff;
};

struct trace_event_raw_page_cache_ra_unbounded {
	unsigned long i_ino;
	dev_t s_dev;
	unsigned long index;
	unsigned long nr_to_read;
};

struct trace_event_raw_page_cache_ra_order {
	unsigned long i_ino;
	dev_t s_dev;
	unsigned long index;
	unsigned int size;
};

#pragma clang attribute pop

static __always_inline int mapped(struct vm_fault *fault, __u64 first, __u64 last)
{
	struct file___mapping *file = (void *)BPF_CORE_READ(fault, vma, vm_file);
	struct address_space *mapping = BPF_CORE_READ(file, f_mapping);

	if (wanted_mapping(mapping))
		pages_used(bpf_get_current_pid_tgid(), mapping, first, last);
	return 0;
}

SEC("fexit/filemap_fault")
int BPF_PROG(fault__fexit, struct vm_fault *fault, unsigned int ret)
{
	__u64 index = BPF_CORE_READ(fault, pgoff);

	return ret & VM_FAULT_LOCKED ? mapped(fault, index, index) : 0;
}

SEC("fexit/filemap_map_pages")
int BPF_PROG(map_pages__fexit, struct vm_fault *fault, unsigned long first, unsigned long last)
{
	return mapped(fault, first, last);
}

static __always_inline int begin_range(dev_t dev, __u64 inode, __u64 index, __u64 count)
{
	struct ahead ahead = { .dev = dev, .inode = inode, .next = index, .end = index + count };

	if (wanted_task(bpf_get_current_pid_tgid()) && wanted_file(dev, inode))
		entry_keep(aheads, &ahead);
	else
		entry_forget(aheads);
	return 0;
}

SEC("tp/readahead/page_cache_ra_unbounded")
int unbounded__tp(struct trace_event_raw_page_cache_ra_unbounded *ctx)
{
	return begin_range(ctx->s_dev, ctx->i_ino, ctx->index, ctx->nr_to_read);
}

SEC("tp/readahead/page_cache_ra_order")
int order__tp(struct trace_event_raw_page_cache_ra_order *ctx)
{
	return begin_range(ctx->s_dev, ctx->i_ino, ctx->index, ctx->size);
}

static __always_inline int begin(void)
{
	struct ahead ahead = { .any = true };

	if (wanted_task(bpf_get_current_pid_tgid()))
		entry_keep(aheads, &ahead);
	return 0;
}

static __always_inline int end(void)
{
	entry_forget(aheads);
	return 0;
}

/* Of the two, the first one is the last thing that the second one does. */
#define READS_AHEAD(name, function)					\
SEC("fentry/" #function)						\
int name##__fentry(void *ctx)						\
{									\
	return begin();							\
}									\
									\
SEC("fexit/" #function)							\
int name##__fexit(void *ctx)						\
{									\
	return end();							\
}									\
									\
SEC("kprobe/" #function)						\
int name##__kprobe(void *ctx)						\
{									\
	return begin();							\
}									\
									\
SEC("kretprobe/" #function)						\
int name##__kretprobe(void *ctx)					\
{									\
	return end();							\
}

READS_AHEAD(unbounded, page_cache_ra_unbounded)
READS_AHEAD(order, page_cache_ra_order)

static __always_inline __u64 pages_in(struct trace_event_raw_mm_filemap_op_page_cache *ctx)
{
	return bpf_core_field_exists(ctx->order) ? 1ULL << (ctx->order & 31) : 1;
}

/* Whether the pages are part of what the thread reads ahead. The range goes with its last page. */
static __always_inline bool is_ahead(struct ahead *ahead, struct trace_event_raw_mm_filemap_op_page_cache *ctx)
{
	__u64 end = ctx->index + pages_in(ctx);

	if (ahead->any)
		return true;
	if (ctx->i_ino != ahead->inode || ctx->s_dev != ahead->dev || end <= ahead->next || ctx->index >= ahead->end)
		return false;
	ahead->next = end;
	return true;
}

SEC("tp/filemap/mm_filemap_add_to_page_cache")
int added__tp(struct trace_event_raw_mm_filemap_op_page_cache *ctx)
{
	struct page_key page = { .inode = ctx->i_ino, .index = ctx->index, .dev = ctx->s_dev };
	__u64 now = bpf_ktime_get_ns(), count = pages_in(ctx);
	thread_t tid = bpf_get_current_pid_tgid();
	struct ahead *ahead = entry_find(aheads);
	struct page_key *touched;
	struct key key = {};
	struct ages *ages;

	if (!ahead || !wanted_file(ctx->s_dev, ctx->i_ino) || !is_ahead(ahead, ctx))
		return 0;
	ages = table_row(hists, &key);
	if (!ages)
		return 0;
	__sync_fetch_and_add(&ages->read, count);
	__sync_fetch_and_add(&ages->read_so_far, count);
	for (int i = 0; i < MOST_FOLIO_PAGES && i < count; i++, page.index++) {
		if (bpf_map_update_elem(&pages, &page, &now, BPF_ANY))
			COUNT_DROPPED(pages);
	}
	touched = bpf_map_lookup_elem(&missed, &tid);
	if (touched && touched->inode == page.inode && touched->dev == page.dev && touched->index >= ctx->index &&
	    touched->index < page.index) {
		page.index = touched->index;
		bpf_map_delete_elem(&missed, &tid);
		if (!bpf_map_delete_elem(&pages, &page))
			count_use(0);
	}
	return 0;
}

SEC("tp/filemap/mm_filemap_delete_from_page_cache")
int removed__tp(struct trace_event_raw_mm_filemap_op_page_cache *ctx)
{
	struct page_key page = { .inode = ctx->i_ino, .index = ctx->index, .dev = ctx->s_dev };
	__u64 count = pages_in(ctx);

	if (!wanted_file(ctx->s_dev, ctx->i_ino))
		return 0;
	for (int i = 0; i < MOST_FOLIO_PAGES && i < count; i++, page.index++)
		bpf_map_delete_elem(&pages, &page);
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
