// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* Has calls of a function of the kernel fail, without making them. */
#include "core.h"
#include "compat.h"
#include "events.h"
#include "filter.h"
#include "sched.h"
#include "syscall.h"
#include <bpf/bpf_helpers.h>

#define CALLERS 64

const volatile __s32 instead = 0;		/* what the calls return */
const volatile __u64 chance = 1ULL << 32;	/* of 2^32 */
const volatile bool limited = false;		/* to as many failures as there are permits */
const volatile __u64 under_start = 0;		/* only below the function that is there */
const volatile __u64 under_end = 0;

struct event {
	EVENT_HEAD;
	cgroup_id_t cgroup;
	syscall_t syscall;
	errno_t error;
};

EVENT_RING(events, event);

/*
 * One for each failure that may still be: taking one is exact whoever else does. Instructions that add and tell the sum
 * came with Linux 5.12.
 */
struct {
	__uint(type, BPF_MAP_TYPE_QUEUE);
	__uint(max_entries, 1);
	__type(value, __u32);
} permits SEC(".maps");

struct callers {
	__u64 addresses[CALLERS];
};

SCRATCH(stack, struct callers, 1);

static __always_inline bool is_under(void *ctx)
{
	struct callers *callers = scratch(stack, 0);
	long size;

	if (!callers)
		return false;
	size = bpf_get_stack(ctx, callers->addresses, sizeof(callers->addresses), 0);
	for (long i = 0; i < CALLERS && i * (long)sizeof(__u64) < size; i++) {
		if (callers->addresses[i] >= under_start && callers->addresses[i] < under_end)
			return true;
	}
	return false;
}

static __always_inline bool is_due(void)
{
	__u32 permit;

	return chance > bpf_get_prandom_u32() && (!limited || !bpf_map_pop_elem(&permits, &permit));
}

/* Another result than 0 is returned in the place of the function's, which is not called. */
SEC("fmod_ret")
long replace__fmod_ret(void *ctx)
{
	struct task_struct *task = (void *)bpf_get_current_task();
	__u64 id = bpf_get_current_pid_tgid();
	struct event *event;

	if (!wanted_task(id) || (under_end && !is_under(ctx)) || !is_due())
		return 0;
	event = event_reserve(events, event);
	if (event) {
		event_head(event, id);
		event->cgroup = bpf_get_current_cgroup_id();
		event->syscall = is_kernel_thread(task) ? NO_SYSCALL : current_syscall(current_user_regs());
		event->error = instead < 0 ? -instead : 0;
		event_submit(event);
	}
	return instead;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
