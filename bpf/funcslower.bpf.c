// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* Calls of functions that take long. */
#include "core.h"
#include "call-points.h"
#include "events.h"
#include "filter.h"
#include "hooked-returns.h"
#include "stack.h"

#define ARGUMENTS 6

const volatile __u64 min_latency = 1000000;
const volatile __u32 argument_count = 0;
const volatile bool user_stacks = false;
const volatile bool kernel_stacks = false;

struct call {
	CALL_FIELDS;
	stack_id_t user;
	stack_id_t kernel;
	__u64 arguments[ARGUMENTS];
};

struct event {
	EVENT_HEAD;
	cgroup_id_t cgroup;
	ns_t latency;
	addr_t result;
	__u64 point;
	stack_id_t user;
	stack_id_t kernel;
	addr_t arguments[ARGUMENTS];
	maybe_addr_t caller;		/* if the stack misses it */
	addr_t returns[HOOKED_RETURNS];	/* of the calls below */
};

EVENT_RING(events, event);
CALLS(calls, struct call);
STACKS(stacks);

static __always_inline int begins(void *ctx, struct call_key *key, __u64 place, bool registers)
{
	struct pt_regs *regs = ctx;
	struct call *call;

	if (!wanted_task(bpf_get_current_pid_tgid()))
		return 0;
	call = call_begin(calls, key);
	if (!call)
		return 0;
	call->place = place;
	call->user = user_stacks ? user_stack(ctx, stacks) : NO_STACK;
	call->kernel = kernel_stacks ? kernel_stack(ctx, stacks) : NO_STACK;
	if (registers && argument_count) {
		call->arguments[0] = PT_REGS_PARM1(regs);
		call->arguments[1] = PT_REGS_PARM2(regs);
		call->arguments[2] = PT_REGS_PARM3(regs);
		call->arguments[3] = PT_REGS_PARM4(regs);
		call->arguments[4] = PT_REGS_PARM5(regs);
		call->arguments[5] = PT_REGS_PARM6(regs);
	}
	call->start = bpf_ktime_get_ns();
	return 0;
}

static __always_inline int ends(void *ctx, struct call_key *key, __u64 result)
{
	__u64 now = bpf_ktime_get_ns(), id = bpf_get_current_pid_tgid();
	struct event *event;
	struct call call;

	if (!wanted_ids(id) || !call_end(calls, key, &call) || now - call.start < min_latency)
		return 0;
	event = event_reserve(events, event);
	if (!event)
		return 0;
	event_head(event, id);
	event->cgroup = bpf_get_current_cgroup_id();
	event->latency = now - call.start;
	event->result = result;
	event->point = call.place;
	event->user = call.user;
	event->kernel = call.kernel;
	event->caller = hooked_returns(user_stacks ? key->frame : 0, event->returns);
	for (int i = 0; i < ARGUMENTS; i++)
		event->arguments[i] = call.arguments[i];
	event_submit(event);
	return 0;
}

CALL_POINTS(begins, ends, FEXIT_RESULT)

char LICENSE[] SEC("license") = "Dual BSD/GPL";
