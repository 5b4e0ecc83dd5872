/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* System calls as records: who made one, which, and what became of it. */
#ifndef KSCOPE_CALLS_H
#define KSCOPE_CALLS_H

#include "events.h"
#include "filter.h"
#include "probe.h"
#include "syscall.h"
#include "syscall-exit.h"

const volatile bool failed_only = false;

/* The first members of the record. */
#define CALL_FIELDS							\
	EVENT_HEAD;							\
	cgroup_id_t cgroup;						\
	syscall_t syscall;						\
	errno_t error

#define call_fields(event, id, regs, ret)				\
do {									\
	event_head(event, id);						\
	(event)->cgroup = bpf_get_current_cgroup_id();			\
	(event)->syscall = current_syscall(regs);			\
	(event)->error = (ret) < 0 && (ret) >= -4095 ? -(ret) : 0;	\
} while (0)

static __always_inline bool wanted_result(__u64 id, long ret)
{
	return wanted_task(id) && !(failed_only && (ret >= 0 || ret < -4095));
}

/* What a program at the return of a system call has as its context. */
struct syscall_return {
	long ret;
};

/* AT_EXIT(name): the program at the return of a system call, as its tracepoint is named; `ctx` is a syscall_return. */
#define AT_EXIT(name)							\
	static __always_inline int name##_returns(const struct syscall_return *ctx); \
	SEC("tp/syscalls/sys_exit_" #name)				\
	int name##__tp(struct syscall_trace_exit *ctx)			\
	{								\
		return name##_returns(&(struct syscall_return){ .ret = syscall_result(ctx) }); \
	}								\
	static __always_inline int name##_returns(const struct syscall_return *ctx)

/* Where the time that a call takes is of interest: STARTS; AT_ENTER(name) for each, and started() at the exit. */
#define STARTS ENTRY_MAP(starts, __u64)

#define AT_ENTER(name)							\
	SEC("tp/syscalls/sys_enter_" #name)				\
	int name##_enter__tp(struct syscall_trace_enter *ctx)		\
	{								\
		__u64 now = bpf_ktime_get_ns();				\
									\
		if (wanted_task(bpf_get_current_pid_tgid()))		\
			entry_keep(starts, &now);			\
		return 0;						\
	}

/* The time since the current thread entered the call that it leaves; 0 if that was not seen. Once for each call. */
#define call_time()							\
({									\
	__u64 *__start = entry_find(starts), __time = 0;		\
									\
	if (__start) {							\
		__time = bpf_ktime_get_ns() - *__start;			\
		entry_forget(starts);					\
	}								\
	__time;								\
})

#endif
