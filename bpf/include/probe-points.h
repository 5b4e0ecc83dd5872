/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Places that the user names, of all kinds. PROBE_POINTS(hit) makes a program
 * for each kind, of which user space attaches one to all places; they call
 * hit(ctx, id). The id is an address in a function of the kernel, or else the
 * place's number.
 */
#ifndef KSCOPE_PROBE_POINTS_H
#define KSCOPE_PROBE_POINTS_H

#include "core.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_tracing.h>

/*
 * 7adfc6c9b315 ("bpf: Add bpf_get_attach_cookie() BPF helper to access
 * bpf_cookie value", 5.15). User space finds it out, so that libbpf need not
 * read all types of the kernel.
 */
const volatile bool has_attach_cookie = false;

static __always_inline __u64 place_number(void *ctx)
{
	return has_attach_cookie ? bpf_get_attach_cookie(ctx) : 0;
}

#define PROBE_POINTS(hit)						\
KERNEL_POINTS(hit)							\
									\
SEC("uprobe.multi")							\
int user_function__multi(struct pt_regs *ctx)				\
{									\
	return hit(ctx, place_number(ctx));				\
}									\
									\
SEC("uprobe")								\
int user_function(struct pt_regs *ctx)					\
{									\
	return hit(ctx, place_number(ctx));				\
}									\
									\
SEC("tracepoint")							\
int tracepoint_event(void *ctx)						\
{									\
	return hit(ctx, place_number(ctx));				\
}

/* Those for functions of the kernel. */
#define KERNEL_POINTS(hit)						\
SEC("kprobe.multi")							\
int function__multi(struct pt_regs *ctx)				\
{									\
	return hit(ctx, bpf_get_func_ip(ctx));				\
}									\
									\
SEC("kprobe")								\
int function__kprobe(struct pt_regs *ctx)				\
{									\
	return hit(ctx, PT_REGS_IP(ctx));				\
}

/*
 * Those for functions of the kernel that have something among their first five
 * arguments: they call hit(ctx, address, argument). Plans for attach:
 * lib/shapes/argument-functions.ts.
 */
#define ARGUMENT_POINTS(hit)						\
	ARGUMENT_POINT(hit, 1)						\
	ARGUMENT_POINT(hit, 2)						\
	ARGUMENT_POINT(hit, 3)						\
	ARGUMENT_POINT(hit, 4)						\
	ARGUMENT_POINT(hit, 5)

#define ARGUMENT_POINT(hit, n)						\
SEC("kprobe.multi")							\
int argument##n##__multi(struct pt_regs *ctx)				\
{									\
	return hit(ctx, bpf_get_func_ip(ctx), (const void *)PT_REGS_PARM##n(ctx));	\
}									\
									\
SEC("kprobe")								\
int argument##n##__kprobe(struct pt_regs *ctx)				\
{									\
	return hit(ctx, PT_REGS_IP(ctx), (const void *)PT_REGS_PARM##n(ctx));	\
}

#endif
