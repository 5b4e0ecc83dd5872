/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* One inline function per difference between kernels. */
#ifndef KSCOPE_COMPAT_H
#define KSCOPE_COMPAT_H

#include "core.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>

/* 16 KiB in every kernel that needs it here, but for KASAN and 64 KiB pages. */
#define THREAD_SIZE 16384

/* dd6e10fbd9fb ("bpf: Add bpf_task_pt_regs() helper", 5.15) */
static __always_inline bool has_task_pt_regs(void)
{
	return bpf_core_enum_value_exists(enum bpf_func_id, BPF_FUNC_task_pt_regs);
}

/*
 * The registers that the current thread entered the kernel with. Without the
 * helper they are found where both architectures keep them: at the very top of
 * the thread's stack.
 */
static __always_inline struct pt_regs *current_user_regs(void)
{
	struct task_struct *task;

	if (has_task_pt_regs())
		return (void *)bpf_task_pt_regs(bpf_get_current_task_btf());
	task = (void *)bpf_get_current_task();
	return BPF_CORE_READ(task, stack) + THREAD_SIZE - bpf_core_type_size(struct pt_regs);
}

/* What the helper returns can be read without another call: a fifth of the time that tracing open(2) takes. */
#define user_reg(regs, reg) (has_task_pt_regs() ? (regs)->reg : BPF_CORE_READ(regs, reg))

/*
 * The arguments of the system call that is about to return. Only the register
 * of the first one is reused for the result on arm64, which saves it apart.
 */
#if defined(__TARGET_ARCH_x86)
#define syscall_arg1(regs) user_reg(regs, di)
#define syscall_arg2(regs) user_reg(regs, si)
#define syscall_arg3(regs) user_reg(regs, dx)
#define syscall_arg4(regs) user_reg(regs, r10)
#define syscall_arg5(regs) user_reg(regs, r8)
#elif defined(__TARGET_ARCH_arm64)
#define syscall_arg1(regs) user_reg(regs, orig_x0)
#define syscall_arg2(regs) user_reg(regs, regs[1])
#define syscall_arg3(regs) user_reg(regs, regs[2])
#define syscall_arg4(regs) user_reg(regs, regs[3])
#define syscall_arg5(regs) user_reg(regs, regs[4])
#endif

/*
 * Whether sched_process_exit says that the last thread of the process exits:
 * its field group_dead came with "exit: move and extend sched_process_exit()
 * tracepoint" (6.16).
 */
static __always_inline bool exit_tells_group_dead(void)
{
	return bpf_core_field_exists(struct trace_event_raw_sched_process_exit, group_dead);
}

/*
 * What the traced function returns. f92c1e183604 ("bpf: Add
 * get_func_[arg|ret|arg_cnt] helpers", 5.17): without the helper one has to
 * know how many arguments the function had in older kernels.
 */
#define fexit_result(ctx, old_arguments)						\
({											\
	__u64 __result = 0;								\
											\
	if (bpf_core_enum_value_exists(enum bpf_func_id, BPF_FUNC_get_func_ret))	\
		bpf_get_func_ret(ctx, &__result);					\
	else										\
		__result = (ctx)[old_arguments];					\
	__result;									\
})

/*
 * An argument of a tracepoint with types (tp_btf) that may be NULL. The verifier
 * of some kernels takes it for never NULL, from 3f00c5239344 ("bpf: Allow trusted
 * pointers to be passed to KF_TRUSTED_ARGS kfuncs", 6.2) on until 838a10bd2ebf
 * ("bpf: Augment raw_tp arguments with PTR_MAYBE_NULL", 6.13), and leaves out what
 * a program does when it is; about what was read as memory it knows nothing.
 */
static __always_inline void *maybe_null(const __u64 *argument)
{
	void *value = NULL;

	bpf_probe_read_kernel(&value, sizeof(value), argument);
	return value;
}

#endif
