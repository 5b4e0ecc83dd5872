/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* The functions of the kernel in which a thread waits: not who waits there, but how. */
#ifndef KSCOPE_LOCK_FUNCTIONS_H
#define KSCOPE_LOCK_FUNCTIONS_H

#include "core.h"

/* Where they are: start and end of two sections. User space knows. */
const volatile __u64 lock_functions[4] = {};

static __always_inline bool is_lock_function(__u64 address)
{
	return (address >= lock_functions[0] && address < lock_functions[1]) ||
	       (address >= lock_functions[2] && address < lock_functions[3]);
}

#endif
