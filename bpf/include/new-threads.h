/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * New threads, where the kernel makes them, with the functions that they begin
 * with where a program asks its C library for them. NEW_THREADS(show) makes the
 * programs, which call show(id, thread, function, error) with what is known: no
 * thread when none could be made, no function when nobody asked.
 */
#ifndef KSCOPE_NEW_THREADS_H
#define KSCOPE_NEW_THREADS_H

#include "filter.h"
#include "probe.h"

#define CLONE_THREAD 0x00010000

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct trace_event_raw_task_newtask {
	int pid;
	unsigned long clone_flags;
};

#pragma clang attribute pop

/* Start functions of the calls of pthread_create() that have not made their thread yet. */
ENTRY_MAP(calls, __u64);

#define NEW_THREADS(show)						\
SEC("uprobe")								\
int BPF_KPROBE(create_begins, void *thread, void *attributes, void *start) \
{									\
	__u64 function = (__u64)start;					\
									\
	if (wanted_task(bpf_get_current_pid_tgid()))			\
		entry_keep(calls, &function);				\
	return 0;							\
}									\
									\
SEC("tp/task/task_newtask")						\
int task_newtask__tp(struct trace_event_raw_task_newtask *ctx)		\
{									\
	__u64 id = bpf_get_current_pid_tgid();				\
	__u64 *start;							\
									\
	if (!(BPF_CORE_READ(ctx, clone_flags) & CLONE_THREAD) || !wanted_task(id)) \
		return 0;						\
	start = entry_find(calls);					\
	show(id, BPF_CORE_READ(ctx, pid), start ? *start : 0, 0);	\
	if (start)							\
		entry_forget(calls);					\
	return 0;							\
}									\
									\
SEC("uretprobe")							\
int BPF_KRETPROBE(create_ends, int error)				\
{									\
	__u64 *start = entry_find(calls);				\
									\
	if (!start)							\
		return 0;						\
	/* No thread was made. */					\
	show(bpf_get_current_pid_tgid(), 0, *start, error);		\
	entry_forget(calls);						\
	return 0;							\
}

#endif
