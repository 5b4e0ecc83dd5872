// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * What seccomp does about system calls. The function that logs it tells most;
 * where that cannot be hooked, signals and ends of threads tell what kills.
 */
#include "events.h"
#include "filter.h"
#include "probe.h"
#include "stack.h"
#include "syscall.h"

#define SIGSYS 31
#define SYS_SECCOMP 1
#define SA_IMMUTABLE 0x00800000
#define SIGNAL_GROUP_EXIT 4
#define SECCOMP_MODE_FILTER 2
#define MAX_ERRNO 4095

const volatile bool with_refused = false;
const volatile bool user_stacks = false;

/* What a filter returns: part of the interface of the kernel. */
enum seccomp_action {
	KILL_PROCESS = 0x80000000,
	KILL_THREAD = 0,
	TRAP = 0x00030000,
	ERRNO = 0x00050000,
	USER_NOTIF = 0x7fc00000,
	TRACE = 0x7ff00000,
	LOG = 0x7ffc0000,
	ALLOW = 0x7fff0000,
};

struct event {
	EVENT_HEAD;
	enum seccomp_action action;
	syscall_t syscall;
	errno_t error;
	stack_id_t user;
};

EVENT_RING(events, event);
STACKS(stacks);

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct kernel_siginfo {
	int si_code;
};

struct sigaction {
	unsigned long sa_flags;
};

struct k_sigaction {
	struct sigaction sa;
};

struct sighand_struct {
	struct k_sigaction action[64];
};

struct seccomp {
	int mode;
};

struct task_struct___seccomp {
	struct sighand_struct *sighand;
	struct seccomp seccomp;
};

#pragma clang attribute pop

static __always_inline int tell(void *ctx, enum seccomp_action action, int error)
{
	__u64 id = bpf_get_current_pid_tgid();
	struct event *event;

	if (!wanted_task(id))
		return 0;
	event = event_reserve(events, event);
	if (!event)
		return 0;
	event_head(event, id);
	event->action = action;
	event->syscall = current_syscall(current_user_regs());
	event->error = error;
	event->user = user_stacks ? user_stack(ctx, stacks) : NO_STACK;
	event_submit(event);
	return 0;
}

/* A trap is a signal that is always told, and a refusal the return of the call, which has the error. */
static __always_inline int audited(void *ctx, enum seccomp_action action)
{
	return action == TRAP || (with_refused && action == ERRNO) ? 0 : tell(ctx, action, 0);
}

SEC("fentry/audit_seccomp")
int BPF_PROG(audited__fentry, unsigned long syscall, long signal, int action)
{
	return audited(ctx, action);
}

SEC("kprobe/audit_seccomp")
int BPF_KPROBE(audited__kprobe, unsigned long syscall, long signal, int action)
{
	return audited(ctx, action);
}

/*
 * 00b06da29cf9 ("signal: Add SA_IMMUTABLE to ensure forced siganls do not get
 * changed", 5.16): a signal that is to kill cannot be handled.
 */
static __always_inline bool is_fatal(void)
{
	struct task_struct___seccomp *task = (void *)bpf_get_current_task();

	return BPF_CORE_READ(task, sighand, action[SIGSYS - 1].sa.sa_flags) & SA_IMMUTABLE;
}

static __always_inline bool by_seccomp(int signal, const struct kernel_siginfo *info)
{
	/* The lowest addresses stand for what has no details. */
	return signal == SIGSYS && (__u64)info > 1 && BPF_CORE_READ(info, si_code) == SYS_SECCOMP;
}

SEC("tp_btf/signal_generate")
int BPF_PROG(trapped__btf, int signal, const struct kernel_siginfo *info)
{
	return by_seccomp(signal, info) && !is_fatal() ? tell(ctx, TRAP, 0) : 0;
}

SEC("tp_btf/signal_generate")
int BPF_PROG(killed__btf, int signal, const struct kernel_siginfo *info)
{
	return by_seccomp(signal, info) && is_fatal() ? tell(ctx, KILL_PROCESS, 0) : 0;
}

/* One thread of several ends without a signal: no other thing ends one of them alone in this way. */
SEC("tp_btf/sched_process_exit")
int BPF_PROG(exited__btf, struct task_struct *task)
{
	if (BPF_CORE_READ(task, exit_code) != SIGSYS ||
	    BPF_CORE_READ(task, signal, flags) & SIGNAL_GROUP_EXIT)
		return 0;
	return tell(ctx, KILL_THREAD, 0);
}

/* Threads that have a filter, and whether they are in a call that has begun. */
struct thread {
	__u64 start;	/* another thread may come to have the number */
	__u64 begun;
};

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 32768);
	__type(key, thread_t);
	__type(value, struct thread);
} threads SEC(".maps");

static __always_inline bool has_filter(void)
{
	struct task_struct___seccomp *task = (void *)bpf_get_current_task();

	return BPF_CORE_READ(task, seccomp.mode) == SECCOMP_MODE_FILTER;
}

static __always_inline void remember(thread_t tid, __u64 begun)
{
	struct task_struct *task = (void *)bpf_get_current_task();
	struct thread thread = { .start = BPF_CORE_READ(task, start_boottime), .begun = begun };

	bpf_map_update_elem(&threads, &tid, &thread, BPF_ANY);
}

SEC("tp_btf/sys_enter")
int BPF_PROG(entered__btf, struct pt_regs *regs, long number)
{
	thread_t tid = bpf_get_current_pid_tgid();
	struct thread *thread;

	if (!has_filter())
		return 0;
	thread = bpf_map_lookup_elem(&threads, &tid);
	if (thread)
		thread->begun = 1;
	else
		remember(tid, 1);
	return 0;
}

/* Before a call begins, and thus before sys_enter, seccomp may let it return. */
SEC("tp_btf/sys_exit")
int BPF_PROG(returned__btf, struct pt_regs *regs, long result)
{
	struct task_struct *task = (void *)bpf_get_current_task();
	thread_t tid = bpf_get_current_pid_tgid();
	struct thread *thread;

	if (!has_filter())
		return 0;
	thread = bpf_map_lookup_elem(&threads, &tid);
	/* The first that is seen of a thread may be the end of a call that had begun before. */
	if (!thread || thread->start != BPF_CORE_READ(task, start_boottime)) {
		remember(tid, 0);
		return 0;
	}
	if (thread->begun)
		thread->begun = 0;
	else if (result < 0 && result >= -MAX_ERRNO)
		return tell(ctx, ERRNO, -result);
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
