/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Queries that database servers work on, a thread each. QUERIES(ends) makes the
 * programs, which call ends(query, latency, failed) when one is done.
 *
 * PostgreSQL says when it begins and ends (USDT). A query that comes with its
 * parameters apart has its text from what the server says of its own activity,
 * and only its execution is timed. When that turns to nothing while a query is
 * under way, the query has failed. MySQL and MariaDB say nothing: there it is
 * the function that works on a command.
 */
#ifndef KSCOPE_QUERIES_H
#define KSCOPE_QUERIES_H

#include "core.h"
#include "filter.h"
#include "table.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_tracing.h>
#include <bpf/usdt.bpf.h>

#define QUERY_MAX 512

/* The number that MySQL has for queries among its commands. */
#define COM_QUERY 3

/* dispatch_command(thd, data, command) of MySQL 5.7 and later, not (command, thd, text, size). */
const volatile bool command_data = false;

struct worker {
	thread_t tid;
};

struct query {
	__u64 start;		/* 0: there is none */
	__u32 nested;		/* executions within the one that is timed */
	bool whole;		/* from when it came to when it was answered */
	char text[QUERY_MAX];
};

/* Of servers' threads that are no more nobody tells. */
TABLE_IN(queries, BPF_MAP_TYPE_LRU_HASH, struct worker, struct query, 4096);

static __always_inline struct query *current_query(void)
{
	struct worker worker = { .tid = bpf_get_current_pid_tgid() };

	return wanted_task(bpf_get_current_pid_tgid()) ? table_row(queries, &worker) : NULL;
}

static __always_inline void query_begins(struct query *query, bool whole)
{
	query->start = bpf_ktime_get_ns();
	query->nested = 0;
	query->whole = whole;
}

static __always_inline void read_query(struct query *query, const void *text)
{
	if (bpf_probe_read_user_str(query->text, sizeof(query->text), text) < 0)
		query->text[0] = 0;
}

#define QUERIES(ends)							\
static __always_inline int query_ends(struct query *query, bool failed)	\
{									\
	__u64 latency = bpf_ktime_get_ns() - query->start;		\
									\
	query->start = 0;						\
	return ends(query, latency, failed);				\
}									\
									\
SEC("usdt")								\
int simple_begins(struct pt_regs *ctx)					\
{									\
	struct query *query = current_query();				\
	long text = 0;							\
									\
	if (!query)							\
		return 0;						\
	bpf_usdt_arg(ctx, 0, &text);					\
	read_query(query, (void *)text);				\
	query_begins(query, true);					\
	return 0;							\
}									\
									\
SEC("usdt")								\
int simple_ends(struct pt_regs *ctx)					\
{									\
	struct query *query = current_query();				\
									\
	return query && query->start && query->whole ? query_ends(query, false) : 0; \
}									\
									\
SEC("usdt")								\
int execute_begins(struct pt_regs *ctx)					\
{									\
	struct query *query = current_query();				\
									\
	if (query && query->start)					\
		query->nested++;					\
	else if (query)							\
		query_begins(query, false);				\
	return 0;							\
}									\
									\
SEC("usdt")								\
int execute_ends(struct pt_regs *ctx)					\
{									\
	struct query *query = current_query();				\
									\
	if (!query || !query->start || query->whole)			\
		return 0;						\
	if (!query->nested)						\
		return query_ends(query, false);			\
	query->nested--;						\
	return 0;							\
}									\
									\
SEC("usdt")								\
int activity_changes(struct pt_regs *ctx)				\
{									\
	struct query *query = current_query();				\
	long text = 0;							\
									\
	if (!query || bpf_usdt_arg(ctx, 0, &text))			\
		return 0;						\
	if (!text)							\
		return query->start ? query_ends(query, true) : 0;	\
	if (!query->start)						\
		read_query(query, (void *)text);			\
	return 0;							\
}									\
									\
SEC("uprobe")								\
int command_begins(struct pt_regs *ctx)					\
{									\
	__u64 first = kept_apart(PT_REGS_PARM1(ctx));			\
	__u64 second = kept_apart(PT_REGS_PARM2(ctx));			\
	__u64 third = kept_apart(PT_REGS_PARM3(ctx));			\
	const void *text = (void *)third;				\
	struct query *query;						\
									\
	if ((__u32)(command_data ? third : first) != COM_QUERY)		\
		return 0;						\
	query = current_query();					\
	if (!query)							\
		return 0;						\
	/* The text is the first member of what it was given. */	\
	if (command_data)						\
		bpf_probe_read_user(&text, sizeof(text), (void *)second); \
	read_query(query, text);					\
	query_begins(query, true);					\
	return 0;							\
}									\
									\
SEC("uretprobe")							\
int command_ends(struct pt_regs *ctx)					\
{									\
	struct query *query = current_query();				\
									\
	return query && query->start ? query_ends(query, false) : 0;	\
}

#endif
