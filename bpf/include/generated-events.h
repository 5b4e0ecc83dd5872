/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * What programs that are written at run time need to tell what they meet: a
 * ring, and a stub in whose place they are loaded. Filters are part of what is
 * written; the constants of filter.h only say which there are.
 */
#ifndef GENERATED_EVENTS_H
#define GENERATED_EVENTS_H

#include "core.h"
#include "events.h"
#include "filter.h"

/* What each record begins with; the values that were asked for come behind it. */
struct event {
	boot_ns_t time;
	thread_t tid;
	pid_t pid;
	comm_t comm[16];
	cpu_t cpu;
	__u32 place;
	stack_id_t kernel_stack;
	stack_id_t user_stack;
};

EVENT_RING(events, event);

SEC("uprobe")
int generated(void *ctx)
{
	return 0;
}

#endif
