/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* Requests of block devices. */
#ifndef KSCOPE_BLOCK_H
#define KSCOPE_BLOCK_H

#include "core.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>

#define MINOR_BITS 20

/* Only requests of this disk, major << 20 | minor; 0: of all. */
const volatile dev_t filter_disk = 0;

/*
 * How many arguments the kernel's tracepoints have; user space looks. Until
 * a54895fa057c ("block: remove the request_queue to argument request based
 * tracepoints", 5.11, and 5.10.137) the queue came before the request.
 */
const volatile __u32 block_rq_issue_arguments = 1;

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct gendisk {
	int major;
	int first_minor;
	char disk_name[32];
};

struct block_device {
	struct gendisk *bd_disk;
};

struct bio {
	struct block_device *bi_bdev;
	unsigned int bi_opf;
};

/* Before 309dca309fc3 ("block: store a block_device pointer in struct bio", 5.12). */
struct bio___bi_disk {
	struct gendisk *bi_disk;
};

struct request_queue {
	struct gendisk *disk;
};

struct request {
	struct request_queue *q;
	unsigned int cmd_flags;
	unsigned int __data_len;
	sector_t __sector;
};

enum req_flag_bits {
	__REQ_FAILFAST_DEV = 8,
	__REQ_PREFLUSH = 18,
};

/* Before f3fa33acca9f ("block: remove the ->rq_disk field in struct request", 5.17). */
struct request___rq_disk {
	struct gendisk *rq_disk;
};

/* Only with CONFIG_BLK_RQ_ALLOC_TIME, and 0 unless something of the kernel wants to know. */
struct request___alloc_time {
	__u64 alloc_time_ns;
};

#pragma clang attribute pop

/* The request that block_rq_issue, block_rq_insert and the like are about. */
#define traced_request(ctx) ((struct request *)(block_rq_issue_arguments > 1 ? kept_apart((ctx)[1]) : (ctx)[0]))

/* What is to be done, without the flags: they begin above it. */
static __always_inline __u32 request_operation(struct request *rq)
{
	return BPF_CORE_READ(rq, cmd_flags) & ((1 << bpf_core_enum_value(enum req_flag_bits, __REQ_FAILFAST_DEV)) - 1);
}

/* When the kernel began to look for a free request, before it had one; 0: unknown. */
static __always_inline __u64 request_allocated(struct request *rq)
{
	struct request___alloc_time *timed = (void *)rq;

	return bpf_core_field_exists(timed->alloc_time_ns) ? BPF_CORE_READ(timed, alloc_time_ns) : 0;
}

static __always_inline dev_t disk_number(struct gendisk *disk)
{
	return (dev_t)BPF_CORE_READ(disk, major) << MINOR_BITS | BPF_CORE_READ(disk, first_minor);
}

static __always_inline struct gendisk *bio_disk(struct bio *bio)
{
	struct bio___bi_disk *old = (void *)bio;

	return bpf_core_field_exists(old->bi_disk) ? BPF_CORE_READ(old, bi_disk) : BPF_CORE_READ(bio, bi_bdev, bd_disk);
}

/* The disk of a request; 0 for one without, as those of tapes. */
static __always_inline dev_t request_disk(struct request *rq)
{
	struct request___rq_disk *old = (void *)rq;
	struct gendisk *disk;

	if (bpf_core_field_exists(old->rq_disk))
		disk = BPF_CORE_READ(old, rq_disk);
	else
		disk = BPF_CORE_READ(rq, q, disk);
	return disk ? disk_number(disk) : 0;
}

#endif
