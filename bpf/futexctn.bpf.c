// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* How long threads wait for locks of user space, by lock and by where they wait. */
#include "core.h"
#include "compat.h"
#include "filter.h"
#include "hist.h"
#include "probe.h"
#include "stack.h"
#include "syscall-exit.h"
#include <bpf/bpf_helpers.h>

/* The operations of futex(2) that wait, without the bits that say how. */
#define FUTEX_OPERATION 127
#define FUTEX_WAIT 0
#define FUTEX_LOCK_PI 6
#define FUTEX_WAIT_BITSET 9
#define FUTEX_WAIT_REQUEUE_PI 11
#define FUTEX_LOCK_PI2 13

const volatile bool summary = false;
const volatile bool by_tid = false;
const volatile __u64 filter_lock = 0;

struct key {
	pid_t pid;
	thread_t tid;
	addr_t lock;
	stack_id_t stack;
};

struct waits {
	slot_t slots[HIST_SLOTS];
	count_t total;
	comm_t comm[16];
};

HISTOGRAMS_WITH(hists, struct key, struct waits, 10240);
STACKS(stacks);

/* As user space has it. */
struct futex_waitv {
	__u64 val;
	__u64 uaddr;
	__u32 flags;
	__u32 reserved;
};

struct wait {
	__u64 since;
	struct key key;
};

ENTRY_MAP(futex_waits, struct wait);

static __always_inline bool is_wait(__u32 operation)
{
	operation &= FUTEX_OPERATION;
	return operation == FUTEX_WAIT || operation == FUTEX_LOCK_PI || operation == FUTEX_WAIT_BITSET ||
	       operation == FUTEX_WAIT_REQUEUE_PI || operation == FUTEX_LOCK_PI2;
}

static __always_inline int wait_begins(void *ctx, __u64 lock)
{
	__u64 id = bpf_get_current_pid_tgid();
	struct wait wait = { .key = { .stack = NO_STACK } };

	if (!wanted_task(id))
		return 0;
	wait.key.pid = id >> 32;
	if (by_tid)
		wait.key.tid = id;
	if (!summary) {
		wait.key.lock = lock;
		wait.key.stack = user_stack(ctx, stacks);
	}
	wait.since = bpf_ktime_get_ns();
	entry_keep(futex_waits, &wait);
	return 0;
}

/* `lock`: the one that ended the wait, when only that is known now. */
static __always_inline int wait_ends(void *ctx, __u64 lock)
{
	struct wait *wait = entry_find(futex_waits);
	struct waits *waits;
	struct key key;
	__u64 time;

	if (!wait)
		return 0;
	time = bpf_ktime_get_ns() - wait->since;
	key = wait->key;
	entry_forget(futex_waits);
	/* It was free already, or it took too long: nobody gave it. */
	if (syscall_result(ctx) < 0)
		return 0;
	if (lock && !summary)
		key.lock = lock;
	waits = hist_add(hists, &key, time);
	if (waits)
		bpf_get_current_comm(waits->comm, sizeof(waits->comm));
	return 0;
}

static __always_inline bool wanted_lock(__u64 lock)
{
	return !filter_lock || lock == filter_lock;
}

SEC("tp/syscalls/sys_enter_futex")
int futex_enter__tp(struct syscall_trace_enter *ctx)
{
	struct pt_regs *regs = current_user_regs();
	__u64 lock = syscall_arg1(regs);

	return is_wait(syscall_arg2(regs)) && wanted_lock(lock) ? wait_begins(ctx, lock) : 0;
}

SEC("tp/syscalls/sys_exit_futex")
int futex_exit__tp(struct syscall_trace_exit *ctx)
{
	return wait_ends(ctx, 0);
}

SEC("tp/syscalls/sys_enter_futex_wait")
int futex_wait_enter__tp(struct syscall_trace_enter *ctx)
{
	__u64 lock = syscall_arg1(current_user_regs());

	return wanted_lock(lock) ? wait_begins(ctx, lock) : 0;
}

SEC("tp/syscalls/sys_exit_futex_wait")
int futex_wait_exit__tp(struct syscall_trace_exit *ctx)
{
	return wait_ends(ctx, 0);
}

/* For the first of several that is given. */
SEC("tp/syscalls/sys_enter_futex_waitv")
int futex_waitv_enter__tp(struct syscall_trace_enter *ctx)
{
	return wait_begins(ctx, 0);
}

SEC("tp/syscalls/sys_exit_futex_waitv")
int futex_waitv_exit__tp(struct syscall_trace_exit *ctx)
{
	struct futex_waitv waiter = {};
	const struct futex_waitv *all = (void *)syscall_arg1(current_user_regs());
	long which = syscall_result(ctx);

	if (which >= 0)
		bpf_probe_read_user(&waiter, sizeof(waiter), all + which);
	if (!wanted_lock(waiter.uaddr)) {
		entry_forget(futex_waits);
		return 0;
	}
	return wait_ends(ctx, waiter.uaddr);
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
