/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* How long interrupts are handled, of a kind of which no two are under way on a CPU. */
#ifndef KSCOPE_IRQ_H
#define KSCOPE_IRQ_H

#include "core.h"
#include "cpu-filter.h"
#include "events.h"
#include <bpf/bpf_helpers.h>

const volatile bool count_only = false;
const volatile bool per_cpu = false;

/* When the one that is under way began. */
SCRATCH(irq_starts, __u64, 1);

static __always_inline void irq_begins(void)
{
	__u64 *start = scratch(irq_starts, 0);

	if (start)
		*start = bpf_ktime_get_ns();
}

/* False for what is not wanted, or was under way already when the tracing began. */
static __always_inline bool irq_ends(__u64 *time)
{
	__u64 *start = scratch(irq_starts, 0);

	if (!start || !*start)
		return false;
	*time = bpf_ktime_get_ns() - *start;
	*start = 0;
	return true;
}

#endif
