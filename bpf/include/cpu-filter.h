/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* The filter for a processor. */
#ifndef KSCOPE_CPU_FILTER_H
#define KSCOPE_CPU_FILTER_H

#include "types.h"
#include <bpf/bpf_helpers.h>

const volatile __s32 filter_cpu = -1;

static __always_inline bool wanted_cpu(void)
{
	return filter_cpu < 0 || bpf_get_smp_processor_id() == filter_cpu;
}

#endif
