// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* Threads that begin and end, as the kernel, the C library and Java see them. */
#include "events.h"
#include "new-threads.h"
#include "usdt.h"

#define NAME_MAX 64

enum kind {
	pthread,
	end,
	start,
	stop,
};

struct event {
	boot_ns_t time;
	pid_t pid;
	maybe_pid_t tid;		/* the thread that begins or ends */
	comm_t comm[16];
	enum kind kind;
	errno_t error;
	maybe_count_t runtime_id;
	maybe_addr_t address;
	maybe_text_t name[NAME_MAX];
};

EVENT_RING(events, event);

static __always_inline struct event *thread_event(__u64 id, thread_t tid, enum kind kind)
{
	struct event *event = event_reserve(events, event);

	if (!event)
		return NULL;
	event->time = bpf_ktime_get_boot_ns();
	event->pid = id >> 32;
	event->tid = tid;
	bpf_get_current_comm(event->comm, sizeof(event->comm));
	event->kind = kind;
	return event;
}

static __always_inline void begins(__u64 id, thread_t tid, __u64 function, int error)
{
	struct event *event = thread_event(id, tid, pthread);

	if (!event)
		return;
	event->error = error;
	event->address = function;
	event_submit(event);
}

NEW_THREADS(begins)

SEC("tp/sched/sched_process_exit")
int process_exit__tp(void *ctx)
{
	__u64 id = bpf_get_current_pid_tgid();
	struct event *event;

	/* The first thread is the process. */
	if (id >> 32 == (__u32)id || !wanted_task(id))
		return 0;
	event = thread_event(id, id, end);
	if (event)
		event_submit(event);
	return 0;
}

static __always_inline int java_thread(struct pt_regs *ctx, enum kind kind)
{
	__u64 id = bpf_get_current_pid_tgid();
	struct event *event;

	if (!wanted_task(id))
		return 0;
	event = thread_event(id, usdt_number(ctx, 3), kind);
	if (!event)
		return 0;
	usdt_counted_text(event->name, sizeof(event->name), ctx, 0);
	event->runtime_id = usdt_number(ctx, 2);
	event_submit(event);
	return 0;
}

SEC("usdt")
int java_starts(struct pt_regs *ctx)
{
	return java_thread(ctx, start);
}

SEC("usdt")
int java_stops(struct pt_regs *ctx)
{
	return java_thread(ctx, stop);
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
