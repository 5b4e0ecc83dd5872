// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* Which processes wait for memory that was swapped out. */
#include "core.h"
#include "filter.h"
#include "table.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_tracing.h>

enum vm_event_item {
	PSWPIN = 2,
};

struct key {
	pid_t pid;
	comm_t comm[16];
};

struct value {
	count_t count;
};

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

enum pageflags {
	PG_head = 16,
};

struct folio {
	unsigned long flags;
	unsigned int _folio_nr_pages;
};

struct swap_iocb {
	unsigned int len;
};

struct swap_io_ctx {
	struct swap_iocb *sio;
};

#pragma clang attribute pop

const volatile __u32 page_size = 4096;

TABLE_IN(swapins, BPF_MAP_TYPE_LRU_HASH, struct key, struct value, 16384);

static __always_inline int swapped_in(__u64 pages)
{
	__u64 id = bpf_get_current_pid_tgid();
	struct key key = { .pid = id >> 32 };

	if (!pages || !wanted_task(id))
		return 0;
	bpf_get_current_comm(key.comm, sizeof(key.comm));
	table_add(swapins, &key, count, pages);
	return 0;
}

/* Where pages are counted when they have been read (7.3), in an interrupt of whoever runs: those that are asked for. */
SEC("fentry/swap_read_submit")
int BPF_PROG(swap_read_submit__fentry, struct swap_io_ctx *reads)
{
	return swapped_in(BPF_CORE_READ(reads, sio, len) / page_size);
}

SEC("kprobe/swap_read_submit")
int BPF_KPROBE(swap_read_submit__kprobe, struct swap_io_ctx *reads)
{
	return swapped_in(BPF_CORE_READ(reads, sio, len) / page_size);
}

/* "memcg: add tracing for memcg stat updates" (6.13 or later) */
SEC("tp_btf/count_memcg_events")
int BPF_PROG(count_memcg_events__tp_btf, void *memcg, int item, unsigned long pages)
{
	return item == bpf_core_enum_value(enum vm_event_item, PSWPIN) ? swapped_in(pages) : 0;
}

/* Later kernels, whose folios are different, have the tracepoint. c9bdf768dd93 ("mm: convert swap_readpage() to swap_read_folio()", 6.8) */
static __always_inline __u64 pages_of(struct folio *folio)
{
	if (!(BPF_CORE_READ(folio, flags) & (1UL << bpf_core_enum_value(enum pageflags, PG_head))))
		return 1;
	return bpf_core_field_exists(folio->_folio_nr_pages) ? BPF_CORE_READ(folio, _folio_nr_pages) : 1;
}

SEC("fentry/swap_read_folio")
int BPF_PROG(swap_read_folio__fentry, struct folio *folio)
{
	return swapped_in(pages_of(folio));
}

SEC("kprobe/swap_read_folio")
int BPF_KPROBE(swap_read_folio__kprobe, struct folio *folio)
{
	return swapped_in(pages_of(folio));
}

SEC("fentry/swap_readpage")
int BPF_PROG(swap_readpage__fentry)
{
	return swapped_in(1);
}

SEC("kprobe/swap_readpage")
int BPF_KPROBE(swap_readpage__kprobe)
{
	return swapped_in(1);
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
