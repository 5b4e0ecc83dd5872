// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* Kernel modules that are asked for, loaded and taken away, and calls that failed to. */
#include "core.h"
#include "compat.h"
#include "events.h"
#include "filter.h"
#include "syscall-exit.h"
#include "syscall.h"
#include <bpf/bpf_helpers.h>

enum action {
	load,
	unload,
	request,
	failed,
};

struct event {
	boot_ns_t time;
	enum action action;
	TASK_FIELDS;
	errno_t error;
	syscall_t syscall;
	cgroup_id_t cgroup;
	maybe_text_t name[64];
};

EVENT_RING(events, event);

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

/* The part of the three records that they have in common: libbpf finds the member in each. */
struct trace_event_raw_module_load {
	__u32 __data_loc_name;
};

struct trace_event_raw_module_free {
	__u32 __data_loc_name;
};

struct trace_event_raw_module_request {
	__u32 __data_loc_name;
};

#pragma clang attribute pop

static __always_inline struct event *begin(enum action action)
{
	__u64 id = bpf_get_current_pid_tgid();
	struct event *event;

	if (!wanted_task(id))
		return NULL;
	event = event_reserve(events, event);
	if (!event)
		return NULL;
	event_head(event, id);
	event->action = action;
	event->syscall = NO_SYSCALL;
	event->cgroup = bpf_get_current_cgroup_id();
	return event;
}

/* Texts are behind the record, at an offset in the low 16 bits. */
#define named(ctx, action)						\
({									\
	struct event *__event = begin(action);				\
									\
	if (__event) {							\
		bpf_probe_read_kernel_str(__event->name, sizeof(__event->name),	\
					  (void *)ctx + (ctx->__data_loc_name & 0xffff));	\
		event_submit(__event);					\
	}								\
	0;								\
})

SEC("tp/module/module_load")
int module_load__tp(struct trace_event_raw_module_load *ctx)
{
	return named(ctx, load);
}

SEC("tp/module/module_free")
int module_free__tp(struct trace_event_raw_module_free *ctx)
{
	return named(ctx, unload);
}

SEC("tp/module/module_request")
int module_request__tp(struct trace_event_raw_module_request *ctx)
{
	return named(ctx, request);
}

static __always_inline int returned(struct syscall_trace_exit *ctx, bool names)
{
	long ret = syscall_result(ctx);
	struct pt_regs *regs;
	struct event *event;

	if (ret >= 0)
		return 0;
	event = begin(failed);
	if (!event)
		return 0;
	regs = current_user_regs();
	event->error = -ret;
	event->syscall = current_syscall(regs);
	if (names)
		bpf_probe_read_user_str(event->name, sizeof(event->name), (void *)syscall_arg1(regs));
	event_submit(event);
	return 0;
}

SEC("tp/syscalls/sys_exit_finit_module")
int finit_module__tp(struct syscall_trace_exit *ctx)
{
	return returned(ctx, false);
}

SEC("tp/syscalls/sys_exit_init_module")
int init_module__tp(struct syscall_trace_exit *ctx)
{
	return returned(ctx, false);
}

SEC("tp/syscalls/sys_exit_delete_module")
int delete_module__tp(struct syscall_trace_exit *ctx)
{
	return returned(ctx, true);
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
