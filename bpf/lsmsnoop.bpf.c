// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* What the security modules decide: the returns of the functions that ask them. */
#include "core.h"
#include "call-points.h"
#include "events.h"
#include "filter.h"
#include "sched.h"
#include "stack.h"
#include "syscall.h"

/* What hooks return that no module has anything to say to. */
#define ENOSYS 38
#define ENOPROTOOPT 92
#define EOPNOTSUPP 95
#define ENOPARAM 519

const volatile bool refused_only = false;
const volatile bool kernel_stacks = false;

struct event {
	EVENT_HEAD;
	cgroup_id_t cgroup;
	syscall_t syscall;
	__s32 answer;
	errno_t error;
	addr_t address;
	stack_id_t kernel;
};

struct call {
	CALL_FIELDS;
};

EVENT_RING(events, event);
CALLS(calls, struct call);
STACKS(stacks);

static __always_inline int decided(void *ctx, __u64 place, __s32 result)
{
	struct task_struct *task = (void *)bpf_get_current_task();
	__u64 id = bpf_get_current_pid_tgid();
	errno_t error = result < 0 && result >= -4095 ? -result : 0;
	struct event *event;

	if (error == ENOSYS || error == ENOPROTOOPT || error == EOPNOTSUPP || error == ENOPARAM)
		error = 0;
	if ((refused_only && !error) || !wanted_task(id))
		return 0;
	event = event_reserve(events, event);
	if (!event)
		return 0;
	event_head(event, id);
	event->cgroup = bpf_get_current_cgroup_id();
	event->syscall = is_kernel_thread(task) ? NO_SYSCALL : current_syscall(current_user_regs());
	event->answer = result;
	event->error = error;
	event->address = place;
	event->kernel = kernel_stacks ? kernel_stack(ctx, stacks) : NO_STACK;
	event_submit(event);
	return 0;
}

RETURN_POINTS(calls, decided)

char LICENSE[] SEC("license") = "Dual BSD/GPL";
