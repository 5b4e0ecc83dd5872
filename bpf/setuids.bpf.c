// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* System calls that change the user or group of a thread. */
#include "core.h"
#include "compat.h"
#include "events.h"
#include "filter.h"
#include "syscall-exit.h"
#include "syscall.h"
#include <bpf/bpf_helpers.h>

const volatile bool failed_only = false;

struct event {
	boot_ns_t time;
	pid_t pid;
	thread_t tid;
	uid_t uid;
	gid_t gid;
	comm_t comm[16];
	syscall_t syscall;
	__s32 ids[3];		/* -1: do not change, or the call takes fewer */
	__u32 count;
	__s64 ret;
	errno_t error;
	cgroup_id_t cgroup;
};

EVENT_RING(events, event);

static __always_inline int changed(struct syscall_trace_exit *ctx, __u32 count)
{
	__u64 id = bpf_get_current_pid_tgid();
	long ret = syscall_result(ctx);
	struct pt_regs *regs;
	struct event *event;

	if (!wanted_task(id) || (failed_only && ret >= 0))
		return 0;
	event = event_reserve(events, event);
	if (!event)
		return 0;
	regs = current_user_regs();
	event_head(event, id);
	event->gid = bpf_get_current_uid_gid() >> 32;
	event->syscall = current_syscall(regs);
	event->ids[0] = syscall_arg1(regs);
	event->ids[1] = count > 1 ? (__s32)syscall_arg2(regs) : -1;
	event->ids[2] = count > 2 ? (__s32)syscall_arg3(regs) : -1;
	event->count = count;
	event->ret = ret;
	event->error = ret < 0 ? -ret : 0;
	event->cgroup = bpf_get_current_cgroup_id();
	event_submit(event);
	return 0;
}

#define CALL(name, count)						\
	SEC("tp/syscalls/sys_exit_" #name)				\
	int name##__tp(struct syscall_trace_exit *ctx)			\
	{								\
		return changed(ctx, count);				\
	}

CALL(setuid, 1)
CALL(setgid, 1)
CALL(setreuid, 2)
CALL(setregid, 2)
CALL(setresuid, 3)
CALL(setresgid, 3)
CALL(setfsuid, 1)
CALL(setfsgid, 1)

char LICENSE[] SEC("license") = "Dual BSD/GPL";
