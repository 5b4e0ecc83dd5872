// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* Requests to flush the caches of the disks below software RAID. */
#include "block.h"
#include "core.h"
#include "events.h"
#include "filter.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>

#define NAME_SIZE 32

/* As of rq_issue: until 5.11 the queue came before the bio. */
const volatile __u32 block_bio_queue_arguments = 1;

struct event {
	boot_ns_t time;
	pid_t pid;
	thread_t tid;
	comm_t comm[16];
	dev_t dev;
	text_t device[NAME_SIZE];
	cgroup_id_t cgroup;
};

EVENT_RING(events, event);

SEC("tp_btf/block_bio_queue")
int block_bio_queue__tp_btf(__u64 *ctx)
{
	struct bio *bio = (void *)(block_bio_queue_arguments > 1 ? kept_apart(ctx[1]) : ctx[0]);
	__u64 id = bpf_get_current_pid_tgid();
	char name[NAME_SIZE] = {};
	struct gendisk *disk;
	struct event *event;
	dev_t dev;

	if (!(BPF_CORE_READ(bio, bi_opf) & (1 << bpf_core_enum_value(enum req_flag_bits, __REQ_PREFLUSH))))
		return 0;
	disk = bio_disk(bio);
	if (!disk || !wanted_task(id))
		return 0;
	dev = disk_number(disk);
	bpf_probe_read_kernel_str(name, sizeof(name), (void *)disk + bpf_core_field_offset(struct gendisk, disk_name));
	if (filter_disk ? dev != filter_disk : name[0] != 'm' || name[1] != 'd')
		return 0;
	event = event_reserve(events, event);
	if (!event)
		return 0;
	event_thread(event, id);
	event->dev = dev;
	__builtin_memcpy(event->device, name, sizeof(event->device));
	event->cgroup = bpf_get_current_cgroup_id();
	event_submit(event);
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
