/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * How the page cache is used, in pages. Whoever includes this file says what
 * is counted apart: a `struct key`, and who_uses() that fills it.
 */
#ifndef KSCOPE_PAGE_CACHE_H
#define KSCOPE_PAGE_CACHE_H

#include "page-use.h"
#include "table.h"

struct use {
	maybe_comm_t comm[16];
	count_t accesses;	/* pages read by calls, or mapped */
	count_t added;		/* pages that came into the cache */
	count_t written;	/* those of them that were only to be written to */
	count_t dirties;	/* pages that became dirty */
};

TABLE_IN(uses, BPF_MAP_TYPE_PERCPU_HASH, struct key, struct use, 16384);

/* What a thread did last: it is forgotten when there is no room, and matters for a moment only. */
struct last {
	__u64 added_inode, added_index, added_pages;
	__u64 read_inode, read_index, read_end, reads;
};

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 16384);
	__type(key, thread_t);
	__type(value, struct last);
} lasts SEC(".maps");

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct page {
	unsigned int compound_nr;
};

/* Its first member, the flags, has changed its type but not its place. */
struct folio {
	unsigned long index;
};

/* The number of pages has had two names in struct folio. */
struct folio___nr_pages {
	unsigned int _nr_pages;
};

struct folio___folio_nr_pages {
	unsigned int _folio_nr_pages;
};

enum pageflags {
	PG_head = 6,
};

struct task_io_accounting {
	__u64 syscr;
};

struct task_struct___io {
	struct task_io_accounting ioac;
};

#pragma clang attribute pop

static __always_inline void who_uses(struct key *key, __u64 id);

static __always_inline struct use *current_use(__u64 id)
{
	struct key key = {};
	struct use *use;

	who_uses(&key, id);
	use = table_row(uses, &key);
	if (use && !use->comm[0])
		bpf_get_current_comm(use->comm, sizeof(use->comm));
	return use;
}

static __always_inline struct last *last_of(__u64 id)
{
	static const struct last none = {};
	thread_t tid = id;
	struct last *last = bpf_map_lookup_elem(&lasts, &tid);

	if (!last) {
		bpf_map_update_elem(&lasts, &tid, &none, BPF_ANY);
		last = bpf_map_lookup_elem(&lasts, &tid);
	}
	return last;
}

static __always_inline void add_pages(count_t *to, __u64 pages)
{
	if (pages)
		__sync_fetch_and_add(to, pages);
}

static __always_inline void accessed(__u64 id, __u64 pages)
{
	struct use *use = current_use(id);
	thread_t tid = id;
	struct last *last;

	if (use)
		add_pages(&use->accesses, pages);
	/* Whatever came into the cache before was to be read. */
	last = bpf_map_lookup_elem(&lasts, &tid);
	if (last)
		last->added_pages = 0;
}

static __always_inline bool wanted_user(__u64 id)
{
	return wanted_task(id);
}

static __always_inline void pages_used(__u64 id, struct address_space *mapping, __u64 first, __u64 last)
{
	accessed(id, last - first + 1);
}

static __always_inline void page_missed(__u64 id, struct address_space *mapping, __u64 index)
{
	accessed(id, 1);
}

/* A piece that goes on where the one before was is of the same call when no call has ended since. */
static __always_inline void pages_got(__u64 id, struct address_space *mapping, __u64 first, __u64 end)
{
	struct task_struct___io *task = (void *)bpf_get_current_task();
	struct last *last = last_of(id);
	__u64 inode, reads, from = first;

	if (!last)
		return;
	inode = BPF_CORE_READ(mapping, host, i_ino);
	reads = bpf_core_field_exists(task->ioac.syscr) ? BPF_CORE_READ(task, ioac.syscr) : 0;
	if (last->read_inode == inode && last->read_end == end && last->reads == reads && first > last->read_index)
		from = end + 1;
	last->read_inode = inode;
	last->read_index = first;
	last->read_end = end;
	last->reads = reads;
	accessed(id, end + 1 > from ? end + 1 - from : 0);
}

SEC("tp/filemap/mm_filemap_add_to_page_cache")
int added__tp(struct trace_event_raw_mm_filemap_op_page_cache *ctx)
{
	__u64 id = bpf_get_current_pid_tgid();
	struct last *last;
	struct use *use;
	__u64 pages = 1;

	if (!wanted_task(id) || !wanted_file(ctx->s_dev, ctx->i_ino))
		return 0;
	if (bpf_core_field_exists(ctx->order))
		pages <<= ctx->order & 31;
	use = current_use(id);
	if (use)
		add_pages(&use->added, pages);
	last = last_of(id);
	if (last) {
		last->added_inode = ctx->i_ino;
		last->added_index = ctx->index;
		last->added_pages = pages;
	}
	return 0;
}

/* What comes into the cache and is dirty before anything else is done with it was not read. */
static __always_inline int dirtied(struct address_space *mapping, __u64 index, __u64 pages)
{
	__u64 id = bpf_get_current_pid_tgid();
	thread_t tid = id;
	struct last *last;
	struct use *use;

	if (!mapping || !wanted_task(id) || !wanted_mapping(mapping))
		return 0;
	use = current_use(id);
	if (!use)
		return 0;
	add_pages(&use->dirties, pages);
	last = bpf_map_lookup_elem(&lasts, &tid);
	if (last && last->added_pages && last->added_index == index &&
	    last->added_inode == BPF_CORE_READ(mapping, host, i_ino)) {
		add_pages(&use->written, last->added_pages);
		last->added_pages = 0;
	}
	return 0;
}

/* The pages of a folio. The number of more than one is kept since 5.10, under three names. */
static __always_inline __u64 folio_pages(struct folio *folio)
{
	unsigned long flags = 0;

	bpf_probe_read_kernel(&flags, sizeof(flags), folio);
	if (!(flags & 1UL << bpf_core_enum_value(enum pageflags, PG_head)))
		return 1;
	if (bpf_core_field_exists(struct folio___nr_pages, _nr_pages))
		return BPF_CORE_READ((struct folio___nr_pages *)folio, _nr_pages);
	if (bpf_core_field_exists(struct folio___folio_nr_pages, _folio_nr_pages))
		return BPF_CORE_READ((struct folio___folio_nr_pages *)folio, _folio_nr_pages);
	return BPF_CORE_READ((struct page *)((void *)folio + bpf_core_type_size(struct page)), compound_nr);
}

SEC("tp_btf/writeback_dirty_folio")
int BPF_PROG(dirty_folio__tp_btf, struct folio *folio, struct address_space *mapping)
{
	return dirtied(mapping, BPF_CORE_READ(folio, index), folio_pages(folio));
}

struct page___index {
	unsigned long index;
} __attribute__((preserve_access_index));

SEC("tp_btf/writeback_dirty_page")
int BPF_PROG(dirty_page__tp_btf, struct page___index *page, struct address_space *mapping)
{
	return dirtied(mapping, BPF_CORE_READ(page, index), 1);
}

#endif
