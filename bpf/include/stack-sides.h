/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* The stacks of the current task, of both sides or of the one that is asked for. */
#ifndef KSCOPE_STACK_SIDES_H
#define KSCOPE_STACK_SIDES_H

#include "stack.h"

const volatile bool user_only = false;
const volatile bool kernel_only = false;

STACKS(stacks);

/* Takes them into the members `user` and `kernel` of a key, which say until then that there is none. */
#define take_sides(ctx, key)						\
do {									\
	if (!user_only)							\
		(key)->kernel = kernel_stack(ctx, stacks);		\
	if (!kernel_only)						\
		(key)->user = user_stack(ctx, stacks);			\
} while (0)

#endif
