// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Checks of capabilities. The function that makes them tells all; the
 * tracepoint in it, for kernels that allow no hook there (it came with
 * "capability: add a trace event", 6.14), not whether the check is audited.
 */
#include "core.h"
#include "events.h"
#include "filter.h"
#include "probe.h"
#include "sched.h"
#include "stack.h"
#include "syscall.h"

#define CAP_OPT_NOAUDIT 2
#define CAP_OPT_INSETID 4
#define UNTOLD (~0U)

enum unique {
	FOR_EACH_PID = 1,
	FOR_EACH_CGROUP,
};

const volatile bool with_unaudited = false;
const volatile bool kernel_stacks = false;
const volatile bool user_stacks = false;
const volatile __u32 unique = 0;
const volatile __s32 filter_cap = -1;
const volatile bool denied_only = false;

struct event {
	EVENT_HEAD;
	__u32 cap;
	errno_t error;
	mark_t unaudited;
	mark_t insetid;
	mark_t untold;
	syscall_t syscall;
	cgroup_id_t cgroup;
	stack_id_t kernel;
	stack_id_t user;
};

EVENT_RING(events, event);
STACKS(stacks);

struct seen {
	__u64 who;
	__u32 cap;
	__u32 denied;
};

/* What --unique has shown. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 10240);
	__type(key, struct seen);
	__type(value, bool);
} shown SEC(".maps");

struct check {
	__s32 cap;
	__u32 options;
};

ENTRY_MAP(checks, struct check);

static __always_inline bool wanted_check(__s32 cap, __u32 options)
{
	if (filter_cap >= 0 && cap != filter_cap)
		return false;
	if (!with_unaudited && options != UNTOLD && options & CAP_OPT_NOAUDIT)
		return false;
	return wanted_task(bpf_get_current_pid_tgid());
}

static __always_inline bool is_repeated(struct event *event)
{
	struct seen seen = { .who = event->pid, .cap = event->cap, .denied = event->error };
	bool yes = true;

	if (!unique)
		return false;
	if (unique == FOR_EACH_CGROUP)
		seen.who = event->cgroup;
	return update_error(&shown, &seen, &yes, BPF_NOEXIST) == -EEXIST;
}

static __always_inline int checked(void *ctx, __s32 cap, __u32 options, int result)
{
	struct task_struct *task = (void *)bpf_get_current_task();
	__u64 id = bpf_get_current_pid_tgid();
	struct event event = {};

	if (denied_only && !result)
		return 0;
	event.pid = id >> 32;
	event.tid = id;
	event.cap = cap;
	event.error = -result;
	event.cgroup = bpf_get_current_cgroup_id();
	if (is_repeated(&event))
		return 0;
	event.time = bpf_ktime_get_boot_ns();
	event.uid = bpf_get_current_uid_gid();
	bpf_get_current_comm(event.comm, sizeof(event.comm));
	event.untold = options == UNTOLD;
	event.unaudited = !event.untold && options & CAP_OPT_NOAUDIT;
	event.insetid = !event.untold && options & CAP_OPT_INSETID;
	event.syscall = is_kernel_thread(task) ? NO_SYSCALL : current_syscall(current_user_regs());
	event.kernel = kernel_stacks ? kernel_stack(ctx, stacks) : NO_STACK;
	event.user = user_stacks ? user_stack(ctx, stacks) : NO_STACK;
	event_output(events, &event, sizeof(event));
	return 0;
}

SEC("fexit/cap_capable")
int BPF_PROG(cap_capable__fexit, const void *cred, void *target, int cap, unsigned int options, int result)
{
	return wanted_check(cap, options) ? checked(ctx, cap, options, result) : 0;
}

SEC("kprobe/cap_capable")
int BPF_KPROBE(cap_capable__kprobe, const void *cred, void *target, int cap, unsigned int options)
{
	struct check check = { .cap = cap, .options = options };

	if (wanted_check(cap, options))
		entry_keep(checks, &check);
	return 0;
}

SEC("kretprobe/cap_capable")
int BPF_KRETPROBE(cap_capable__kretprobe, int result)
{
	struct check *check = entry_find(checks);

	if (!check)
		return 0;
	checked(ctx, check->cap, check->options, result);
	entry_forget(checks);
	return 0;
}

SEC("tp_btf/cap_capable")
int BPF_PROG(cap_capable__tp_btf, const void *cred, void *target, const void *capable, int cap, int result)
{
	return wanted_check(cap, UNTOLD) ? checked(ctx, cap, UNTOLD, result) : 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
