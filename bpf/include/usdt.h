/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* Arguments of statically defined probes (USDT), counted from 0. */
#ifndef KSCOPE_USDT_H
#define KSCOPE_USDT_H

#include "core.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_tracing.h>
#include <bpf/usdt.bpf.h>

static __always_inline __s64 usdt_number(struct pt_regs *ctx, int at)
{
	long value = 0;

	bpf_usdt_arg(ctx, at, &value);
	return value;
}

/* A text that ends with a NUL; `to` is all zeros before, and stays so where it cannot be read. */
static __always_inline void usdt_text(char *to, const __u32 size, struct pt_regs *ctx, int at)
{
	bpf_probe_read_user_str(to, size, (void *)usdt_number(ctx, at));
}

/* One that does not: its length is the argument behind. */
static __always_inline void usdt_counted_text(char *to, const __u32 room, struct pt_regs *ctx, int at)
{
	__u64 size = usdt_number(ctx, at + 1);

	if (size > room - 1)
		size = room - 1;
	barrier_var(size);
	if (size < room)
		bpf_probe_read_user(to, size, (void *)usdt_number(ctx, at));
}

#endif
