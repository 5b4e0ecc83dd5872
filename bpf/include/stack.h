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

/* STACKS(map): user space may change the number of stacks and their depth before load. */
#define STACKS(map)							\
	struct {							\
		__uint(type, BPF_MAP_TYPE_STACK_TRACE);			\
		__uint(max_entries, 16384);				\
		__uint(key_size, sizeof(__u32));			\
		__uint(value_size, STACK_DEPTH * sizeof(__u64));	\
	} map SEC(".maps")

#define kernel_stack(ctx, map) bpf_get_stackid(ctx, &(map), 0)
#define user_stack(ctx, map) bpf_get_stackid(ctx, &(map), BPF_F_USER_STACK)

/* What a stack that nobody asked for has as its id. */
#define NO_STACK (-1)

#endif
