// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* Signals, from whoever sends them; or only the system calls that send them, with their results. */
#include "events.h"
#include "owner.h"
#include "syscall-exit.h"

/* Kinds of si_code that are sent by no task, or not by the one that runs. */
#define SI_TIMER (-2)
#define SI_MESGQ (-3)
#define SI_ASYNCIO (-4)
#define SI_SIGIO (-5)
#define SI_KERNEL 0x80

#define SIGIO 29
#define PIDTYPE_PGID 2

const volatile bool failed_only = false;
const volatile __u64 filter_signals = 0;	/* bit N-1 is signal N */
const volatile pid_t filter_tpid = 0;

enum result {
	/* What became of a signal: the kernel's own numbers. */
	DELIVERED,
	IGNORED,
	PENDING,	/* and so not once more */
	OVERFLOW,
	LOST_INFO,	/* delivered, but without its details */
	/* What became of a system call. */
	SENT,
	FAILED,
};

struct event {
	boot_ns_t time;
	maybe_pid_t pid;
	maybe_comm_t comm[16];
	signal_t sig;
	int code;
	maybe_pid_t tpid;	/* as in kill(2) when negative: a process group, or everything */
	maybe_pid_t ttid;
	maybe_comm_t tcomm[16];
	enum result result;
	errno_t error;
};

EVENT_RING(events, event);

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct kernel_siginfo {
	int si_code;
};

struct upid {
	int nr;
};

struct pid {
	struct upid numbers[1];
};

struct signal_struct___pids {
	struct pid *pids[4];
};

#pragma clang attribute pop

static __always_inline bool wanted_signal(int sig)
{
	return !filter_signals || (sig > 0 && sig <= 64 && filter_signals & 1ULL << (sig - 1));
}

/* How a signal says where it comes from: two addresses stand for a user's and for the kernel's. */
static __always_inline int code_of(const struct kernel_siginfo *info)
{
	if ((__u64)info <= 1)
		return info ? SI_KERNEL : 0;
	return BPF_CORE_READ(info, si_code);
}

/* Timers and devices send in interrupts, and so may the kernel itself; faults and ends of children are of who runs. */
static __always_inline bool sent_by_current(int sig, int code)
{
	return code != SI_TIMER && code != SI_MESGQ && code != SI_ASYNCIO && code != SI_SIGIO && code != SI_KERNEL &&
	       (code <= 0 || sig != SIGIO);
}

/* Interrupts are off where signals are sent, so that nothing makes this program skip one. */
SEC("tp_btf/signal_generate")
int BPF_PROG(signal_generate__tp_btf, int sig, struct kernel_siginfo *info, struct task_struct *task, int group,
	     int result)
{
	int code = code_of(info);
	struct owner sender = {};
	struct event *event;

	if (!wanted_signal(sig) || (failed_only && result != OVERFLOW))
		return 0;
	if (filter_tpid && BPF_CORE_READ(task, tgid) != filter_tpid)
		return 0;
	if (sent_by_current(sig, code))
		owner_is_current(&sender);
	if (!wanted_owner(&sender))
		return 0;
	event = event_reserve(events, event);
	if (!event)
		return 0;
	event->time = bpf_ktime_get_boot_ns();
	copy_owner(event, &sender);
	event->sig = sig;
	event->code = code;
	event->tpid = BPF_CORE_READ(task, tgid);
	event->ttid = BPF_CORE_READ(task, pid);
	BPF_CORE_READ_INTO(&event->tcomm, task, comm);
	event->result = result;
	event_submit(event);
	return 0;
}

/* A target of 0 is one's own process group, which kill(2) also takes as a negative number. */
static __always_inline pid_t named_target(pid_t target)
{
	struct task_struct *task = (void *)bpf_get_current_task();
	struct signal_struct___pids *signal;
	struct pid *group;

	if (target)
		return target;
	signal = (void *)BPF_CORE_READ(task, signal);
	group = BPF_CORE_READ(signal, pids[PIDTYPE_PGID]);
	return -BPF_CORE_READ(group, numbers[0].nr);
}

static __always_inline int call(struct syscall_trace_exit *ctx, pid_t tpid, thread_t ttid, int sig)
{
	long ret = syscall_result(ctx);
	struct owner sender = {};
	struct event *event;

	if (!wanted_signal(sig) || (failed_only && ret >= 0) || (filter_tpid && tpid != filter_tpid))
		return 0;
	owner_is_current(&sender);
	if (!sender.wanted)
		return 0;
	event = event_reserve(events, event);
	if (!event)
		return 0;
	event->time = bpf_ktime_get_boot_ns();
	copy_owner(event, &sender);
	event->sig = sig;
	event->tpid = tpid;
	event->ttid = ttid;
	event->result = ret < 0 ? FAILED : SENT;
	event->error = ret < 0 ? -ret : 0;
	event_submit(event);
	return 0;
}

SEC("tp/syscalls/sys_exit_kill")
int kill__tp(struct syscall_trace_exit *ctx)
{
	struct pt_regs *regs = current_user_regs();

	return call(ctx, named_target(syscall_arg1(regs)), 0, syscall_arg2(regs));
}

SEC("tp/syscalls/sys_exit_tkill")
int tkill__tp(struct syscall_trace_exit *ctx)
{
	struct pt_regs *regs = current_user_regs();

	return call(ctx, 0, syscall_arg1(regs), syscall_arg2(regs));
}

SEC("tp/syscalls/sys_exit_tgkill")
int tgkill__tp(struct syscall_trace_exit *ctx)
{
	struct pt_regs *regs = current_user_regs();

	return call(ctx, syscall_arg1(regs), syscall_arg2(regs), syscall_arg3(regs));
}

SEC("tp/syscalls/sys_exit_rt_sigqueueinfo")
int sigqueue__tp(struct syscall_trace_exit *ctx)
{
	struct pt_regs *regs = current_user_regs();

	return call(ctx, syscall_arg1(regs), 0, syscall_arg2(regs));
}

SEC("tp/syscalls/sys_exit_rt_tgsigqueueinfo")
int tgsigqueue__tp(struct syscall_trace_exit *ctx)
{
	struct pt_regs *regs = current_user_regs();

	return call(ctx, syscall_arg1(regs), syscall_arg2(regs), syscall_arg3(regs));
}

SEC("tp/syscalls/sys_exit_pidfd_send_signal")
int pidfd_send_signal__tp(struct syscall_trace_exit *ctx)
{
	struct pt_regs *regs = current_user_regs();

	return call(ctx, 0, 0, syscall_arg2(regs));
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
