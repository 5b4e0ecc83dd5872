/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Which pages of the page cache are used, and when: those that a call reads,
 * when it returns, and those that become mapped. Whoever includes this file
 * says whose uses matter and what is done with them.
 */
#ifndef KSCOPE_PAGE_USE_H
#define KSCOPE_PAGE_USE_H

#include "events.h"
#include "filter.h"
#include "probe.h"

/* One file only. */
const volatile dev_t filter_dev = 0;
const volatile __u64 filter_inode = 0;

const volatile __u32 page_shift = 12;

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct inode___size {
	long long i_size;
};

struct address_space {
	struct inode *host;
};

struct file___mapping {
	struct address_space *f_mapping;
};

struct kiocb {
	struct file *ki_filp;
	long long ki_pos;
};

struct iov_iter;
struct pipe_inode_info;

struct trace_event_raw_mm_filemap_op_page_cache {
	unsigned long i_ino;
	unsigned long index;
	dev_t s_dev;
	unsigned char order;
};

#pragma clang attribute pop

static __always_inline bool wanted_user(__u64 id);

/* Pages from first to last, both included. */
static __always_inline void pages_used(__u64 id, struct address_space *mapping, __u64 first, __u64 last);

/* A page was touched where it is not mapped; it need not be in the cache yet. */
static __always_inline void page_missed(__u64 id, struct address_space *mapping, __u64 index);

/* A call has got some of the pages that it still has to read, which are these. */
static __always_inline void pages_got(__u64 id, struct address_space *mapping, __u64 first, __u64 last);

static __always_inline bool wanted_file(dev_t dev, __u64 inode)
{
	return !filter_inode || (inode == filter_inode && dev == filter_dev);
}

static __always_inline bool wanted_mapping(struct address_space *mapping)
{
	if (!filter_inode)
		return true;
	return wanted_file(BPF_CORE_READ(mapping, host, i_sb, s_dev), BPF_CORE_READ(mapping, host, i_ino));
}

/* A call has read so many bytes up to a position. */
static __always_inline int read_up_to(struct file *file, __u64 end, long bytes)
{
	__u64 id = bpf_get_current_pid_tgid();
	struct address_space *mapping;

	if (bytes <= 0 || !wanted_user(id))
		return 0;
	mapping = BPF_CORE_READ((struct file___mapping *)file, f_mapping);
	if (wanted_mapping(mapping))
		pages_used(id, mapping, (end - bytes) >> page_shift, (end - 1) >> page_shift);
	return 0;
}

/* filemap_read() or its predecessor has moved the position by `bytes`. */
static __always_inline int trace_read(struct kiocb *iocb, long bytes)
{
	return read_up_to(BPF_CORE_READ(iocb, ki_filp), BPF_CORE_READ(iocb, ki_pos), bytes);
}

SEC("fexit/filemap_read")
int BPF_PROG(filemap_read__fexit, struct kiocb *iocb, struct iov_iter *iter, long already, long ret)
{
	return trace_read(iocb, ret - already);
}

SEC("fexit/generic_file_buffered_read")
int BPF_PROG(buffered_read__fexit, struct kiocb *iocb, struct iov_iter *iter, long already, long ret)
{
	return trace_read(iocb, ret - already);
}

struct reading {
	struct kiocb *iocb;
	long already;
};

ENTRY_MAP(readings, struct reading);

static __always_inline int enter_read(struct pt_regs *ctx)
{
	struct reading reading = { .iocb = (void *)PT_REGS_PARM1(ctx), .already = PT_REGS_PARM3(ctx) };

	if (wanted_user(bpf_get_current_pid_tgid()))
		entry_keep(readings, &reading);
	return 0;
}

static __always_inline int leave_read(struct pt_regs *ctx)
{
	struct reading *reading = entry_find(readings);

	if (reading) {
		trace_read(reading->iocb, PT_REGS_RC(ctx) - reading->already);
		entry_forget(readings);
	}
	return 0;
}

SEC("kprobe/filemap_read")
int filemap_read__kprobe(struct pt_regs *ctx)
{
	return enter_read(ctx);
}

SEC("kretprobe/filemap_read")
int filemap_read__kretprobe(struct pt_regs *ctx)
{
	return leave_read(ctx);
}

SEC("kprobe/generic_file_buffered_read")
int buffered_read__kprobe(struct pt_regs *ctx)
{
	return enter_read(ctx);
}

SEC("kretprobe/generic_file_buffered_read")
int buffered_read__kretprobe(struct pt_regs *ctx)
{
	return leave_read(ctx);
}

/* Where the kernel has no such function, it is a read like others. */
static __always_inline int trace_splice(struct file *file, const long long *position, long bytes)
{
	long long end = 0;

	bpf_probe_read_kernel(&end, sizeof(end), position);
	return read_up_to(file, end, bytes);
}

SEC("fexit/filemap_splice_read")
int BPF_PROG(splice_read__fexit, struct file *file, long long *position, struct pipe_inode_info *pipe, unsigned long room,
	     unsigned int flags, long ret)
{
	return trace_splice(file, position, ret);
}

struct splicing {
	struct file *file;
	long long *position;
};

ENTRY_MAP(splicings, struct splicing);

SEC("kprobe/filemap_splice_read")
int BPF_KPROBE(splice_read__kprobe, struct file *file, long long *position)
{
	struct splicing splicing = { .file = file, .position = position };

	if (wanted_user(bpf_get_current_pid_tgid()))
		entry_keep(splicings, &splicing);
	return 0;
}

SEC("kretprobe/filemap_splice_read")
int BPF_KRETPROBE(splice_read__kretprobe, long ret)
{
	struct splicing *splicing = entry_find(splicings);

	if (splicing) {
		trace_splice(splicing->file, splicing->position, ret);
		entry_forget(splicings);
	}
	return 0;
}

/*
 * Where functions cannot be hooked: pages are got in pieces, of which each
 * tells all that the call still has to read.
 */
SEC("tp_btf/mm_filemap_get_pages")
int BPF_PROG(get_pages__tp_btf, struct address_space *mapping, unsigned long index, unsigned long end)
{
	__u64 id = bpf_get_current_pid_tgid();
	struct inode___size *inode;
	__u64 size;

	if (!wanted_user(id) || !wanted_mapping(mapping))
		return 0;
	inode = (void *)BPF_CORE_READ(mapping, host);
	size = BPF_CORE_READ(inode, i_size);
	if (size && end > (size - 1) >> page_shift)
		end = (size - 1) >> page_shift;
	pages_got(id, mapping, index, end);
	return 0;
}

SEC("tp_btf/mm_filemap_fault")
int BPF_PROG(fault__tp_btf, struct address_space *mapping, unsigned long index)
{
	__u64 id = bpf_get_current_pid_tgid();

	if (wanted_user(id) && wanted_mapping(mapping))
		page_missed(id, mapping, index);
	return 0;
}

SEC("tp_btf/mm_filemap_map_pages")
int BPF_PROG(map_pages__tp_btf, struct address_space *mapping, unsigned long index, unsigned long end)
{
	__u64 id = bpf_get_current_pid_tgid();

	if (wanted_user(id) && wanted_mapping(mapping))
		pages_used(id, mapping, index, end);
	return 0;
}

#endif
