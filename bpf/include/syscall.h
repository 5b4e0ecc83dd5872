/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* Which system call a thread is in. */
#ifndef KSCOPE_SYSCALL_H
#define KSCOPE_SYSCALL_H

#include "compat.h"

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct thread_info {
	unsigned long flags;
	__u32 status;
};

struct task_struct___info {
	struct thread_info thread_info;
};

struct pt_regs___number {
	__s32 syscallno;
};

#pragma clang attribute pop

/* TS_COMPAT and TIF_32BIT of the kernel. */
#define X86_COMPAT_STATUS 2
#define ARM64_COMPAT_FLAG (1 << 22)

/* The number of the call that the current thread is in, as a syscall_t. */
static __always_inline __u32 current_syscall(struct pt_regs *regs)
{
	struct task_struct___info *task = (void *)bpf_get_current_task();
#if defined(__TARGET_ARCH_x86)
	__u32 number = BPF_CORE_READ(regs, orig_ax);
	bool compat = BPF_CORE_READ(task, thread_info.status) & X86_COMPAT_STATUS;
#else
	__u32 number = BPF_CORE_READ((struct pt_regs___number *)regs, syscallno);
	bool compat = BPF_CORE_READ(task, thread_info.flags) & ARM64_COMPAT_FLAG;
#endif

	return compat ? number | SYSCALL_COMPAT : number;
}

/* fork, vfork, clone and clone3: the new task returns from them, too. */
static __always_inline bool makes_task(__u32 call)
{
	if (call & SYSCALL_COMPAT) {
		call &= ~SYSCALL_COMPAT;
		return call == 2 || call == 190 || call == 120 || call == 435;
	}
#if defined(__TARGET_ARCH_x86)
	call &= ~(1U << 30);
	return (call >= 56 && call <= 58) || call == 435;
#else
	return call == 220 || call == 435;
#endif
}

/* exit and exit_group. */
static __always_inline bool ends_task(__u32 call)
{
	if (call & SYSCALL_COMPAT) {
		call &= ~SYSCALL_COMPAT;
#if defined(__TARGET_ARCH_x86)
		return call == 1 || call == 252;
#else
		return call == 1 || call == 248;
#endif
	}
#if defined(__TARGET_ARCH_x86)
	call &= ~(1U << 30);
	return call == 60 || call == 231;
#else
	return call == 93 || call == 94;
#endif
}

#endif
