/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Stacks: a table of them, and how a program takes one. An id below zero is
 * the error that there was instead: -EEXIST (-17) when another stack has the
 * place in the table, -EFAULT (-14) when there is no such stack.
 */
#ifndef KSCOPE_STACK_H
#define KSCOPE_STACK_H

#include "core.h"
#include <bpf/bpf_helpers.h>

#define STACK_DEPTH 127

#define BPF_F_USER_STACK (1 << 8)

/* User space may change the number of stacks and their depth before load. */
#define STACK_TABLE(map)						\
	struct {							\
		__uint(type, BPF_MAP_TYPE_STACK_TRACE);			\
		__uint(max_entries, 8192);				\
		__uint(key_size, sizeof(__u32));			\
		__uint(value_size, STACK_DEPTH * sizeof(__u64));	\
	} map SEC(".maps")

/*
 * STACKS(map): a stack's place follows from its hash, and one that finds
 * another in its place is refused, however empty the table may be. So there is
 * a second table for those: of 1000 stacks about 60 would miss in one table,
 * and two in both.
 */
#define STACKS(map)							\
	STACK_TABLE(map);						\
	STACK_TABLE(map##_second)

/* Set in the id of a stack that is in the second table. */
#define SECOND_TABLE (1 << 30)

#define take_stack(ctx, map, flags)					\
({									\
	stack_id_t __id = bpf_get_stackid(ctx, &(map), flags);		\
									\
	if (__id == -EEXIST) {						\
		__id = bpf_get_stackid(ctx, &(map##_second), flags);	\
		if (__id >= 0)						\
			__id |= SECOND_TABLE;				\
	}								\
	__id;								\
})

#define kernel_stack(ctx, map) take_stack(ctx, map, 0)
#define user_stack(ctx, map) take_stack(ctx, map, BPF_F_USER_STACK)

/* What a stack that nobody asked for has as its id. */
#define NO_STACK (-1)

#endif
