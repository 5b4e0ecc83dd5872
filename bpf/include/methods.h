/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Methods of languages, by the probes of their runtimes. METHODS(enters, leaves)
 * makes the programs, LANGUAGE_enters and LANGUAGE_leaves, which call
 * enters(id, method) and leaves(id, method) for the tasks that are wanted.
 */
#ifndef KSCOPE_METHODS_H
#define KSCOPE_METHODS_H

#include "filter.h"
#include "usdt.h"

#define CLASS_MAX 128
#define METHOD_MAX 64

/* Members of records; `class` may be the package or the file. */
#define METHOD_FIELDS							\
	maybe_text_t class[CLASS_MAX];					\
	maybe_text_t method[METHOD_MAX]

struct method {
	METHOD_FIELDS;
};

#define copy_method(record, from)					\
do {									\
	__builtin_memcpy((record)->class, (from)->class, CLASS_MAX);	\
	__builtin_memcpy((record)->method, (from)->method, METHOD_MAX);	\
} while (0)

#define NO_CLASS (-1)

static __always_inline void read_method(struct method *method, struct pt_regs *ctx, int class_at, int method_at)
{
	if (class_at != NO_CLASS)
		usdt_text(method->class, sizeof(method->class), ctx, class_at);
	usdt_text(method->method, sizeof(method->method), ctx, method_at);
}

static __always_inline void read_counted_method(struct method *method, struct pt_regs *ctx, int class_at, int method_at)
{
	usdt_counted_text(method->class, sizeof(method->class), ctx, class_at);
	usdt_counted_text(method->method, sizeof(method->method), ctx, method_at);
}

#define METHOD_PROGRAM(name, read, class_at, method_at, then)		\
SEC("usdt")								\
int name(struct pt_regs *ctx)						\
{									\
	__u64 id = bpf_get_current_pid_tgid();				\
	struct method method = {};					\
									\
	if (!wanted_task(id))						\
		return 0;						\
	read(&method, ctx, class_at, method_at);			\
	then(id, &method);						\
	return 0;							\
}

#define METHOD_PROGRAMS(language, read, class_at, method_at, enters, leaves) \
METHOD_PROGRAM(language##_enters, read, class_at, method_at, enters)	\
METHOD_PROGRAM(language##_leaves, read, class_at, method_at, leaves)

#define METHODS(enters, leaves)						\
METHOD_PROGRAMS(java, read_counted_method, 1, 3, enters, leaves)	\
METHOD_PROGRAMS(perl, read_method, 3, 0, enters, leaves)		\
METHOD_PROGRAMS(php, read_method, 3, 0, enters, leaves)			\
METHOD_PROGRAMS(python, read_method, 0, 1, enters, leaves)		\
METHOD_PROGRAMS(ruby, read_method, 0, 1, enters, leaves)		\
METHOD_PROGRAMS(tcl, read_method, NO_CLASS, 0, enters, leaves)

#endif
