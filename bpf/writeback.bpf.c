// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* When and why the kernel writes dirty pages to the disks. */
#include "events.h"
#include "probe.h"

struct event {
	boot_ns_t time;
	pid_t pid;		/* the kernel's thread, or who waits for it */
	comm_t comm[16];
	text_t bdi[32];		/* the device's own name: major:minor, or the file system's */
	dev_t dev;		/* the file system, 0:0: all of the device */
	count_t pages;
	__u32 why;
	ns_t latency;
};

EVENT_RING(events, event);

struct work {
	__u64 start;
	__s64 pages;
};

ENTRY_MAP(works, struct work);

struct trace_event_raw_writeback_work_class {
	char name[32];
	long nr_pages;
	dev_t sb_dev;
	int reason;
} __attribute__((preserve_access_index));

SEC("tp/writeback/writeback_start")
int start__tp(struct trace_event_raw_writeback_work_class *ctx)
{
	struct work work = { .start = bpf_ktime_get_ns(), .pages = ctx->nr_pages };

	entry_keep(works, &work);
	return 0;
}

/* The work tells how much is left of what it may write. */
SEC("tp/writeback/writeback_written")
int written__tp(struct trace_event_raw_writeback_work_class *ctx)
{
	struct work *work = entry_find(works), last;
	struct event *event;

	if (!work)
		return 0;
	last = *work;
	entry_forget(works);
	event = event_reserve(events, event);
	if (!event)
		return 0;
	event->time = bpf_ktime_get_boot_ns();
	event->pid = bpf_get_current_pid_tgid() >> 32;
	bpf_get_current_comm(event->comm, sizeof(event->comm));
	bpf_probe_read_kernel_str(event->bdi, sizeof(event->bdi), ctx->name);
	event->dev = ctx->sb_dev;
	event->pages = last.pages - ctx->nr_pages;
	event->why = ctx->reason;
	event->latency = bpf_ktime_get_ns() - last.start;
	event_submit(event);
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
