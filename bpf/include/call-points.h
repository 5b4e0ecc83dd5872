/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Calls of functions that the user names, from entry to return.
 *
 * CALLS(map, record) keeps what calls that are under way were entered with,
 * and CALL_POINTS(begins, ends, ...) makes programs for all ways to hook
 * functions, of which user space attaches one pair. They call
 *	begins(ctx, key, place, registers) at the entry; ctx is a struct pt_regs if so
 *	ends(ctx, key, result) at the return
 * which hand the key on to call_begin() and call_end(). A function that calls
 * itself has a key with several calls, the last of which ends first.
 */
#ifndef KSCOPE_CALL_POINTS_H
#define KSCOPE_CALL_POINTS_H

#include "compat.h"
#include "core.h"
#include "probe-points.h"
#include "table.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_tracing.h>

/* How many calls of one key can be under way. */
#define CALL_DEPTH 16

/* Counts only the outermost calls of a thread that are nested so deep, whatever the functions; 0: all. */
const volatile __u32 call_level = 0;

struct call_key {
	__u64 place;		/* 0 where the return cannot tell: then these are the calls of a thread */
	__u64 frame;		/* of user functions: where the return address is, which no other call under way shares */
	thread_t thread;
	__u32 unused;
};

/* The members that every record begins with. */
#define CALL_FIELDS							\
	__u64 place;	/* as hooks of funccount know it */		\
	__u64 start

#define CALLS(map, record)						\
	struct map##_under_way {					\
		__u64 depth;						\
		record calls[CALL_DEPTH];				\
	};								\
	TABLE(map, struct call_key, struct map##_under_way, 10240)

static __always_inline struct call_key call_key(__u64 place, __u64 frame)
{
	thread_t thread = bpf_get_current_pid_tgid();

	/* Each processor has an idle thread, and all of them are number 0. */
	if (!thread)
		thread = -1 - (thread_t)bpf_get_smp_processor_id();
	return (struct call_key){
		.place = call_level ? 0 : place,
		.frame = call_level ? 0 : frame,
		.thread = thread,
	};
}

/*
 * Room for what a call begins with, or NULL when it is not to be counted.
 * Returns that the kernel missed leave calls behind: where there is no room,
 * it is made by giving up all of them.
 */
#define call_begin(map, key)						\
({									\
	typeof(*(map).value) *__row = table_row(map, key);		\
	typeof(&__row->calls[0]) __call = NULL;				\
									\
	if (__row) {							\
		__u64 __depth = __row->depth;				\
									\
		if (!call_level && __depth >= CALL_DEPTH) {		\
			__sync_fetch_and_add(&map##_dropped, CALL_DEPTH); \
			__depth = 0;					\
		}							\
		__row->depth = __depth + 1;				\
		/* As the verifier of 5.10 wants to see it. */		\
		barrier_var(__depth);					\
		if (__depth < CALL_DEPTH && (!call_level || __depth < call_level)) \
			__call = &__row->calls[__depth];		\
	}								\
	__call;								\
})

/* Whether the call that began last with a key was kept; copies what it began with. Once for each call. */
#define call_end(map, key, copy)					\
({									\
	typeof(*(map).value) *__row = bpf_map_lookup_elem(&(map), key);	\
	bool __kept = false;						\
									\
	if (__row && __row->depth) {					\
		__u64 __depth = __row->depth - 1;			\
									\
		__row->depth = __depth;					\
		barrier_var(__depth);					\
		if (__depth < CALL_DEPTH && (!call_level || __depth < call_level)) { \
			*(copy) = __row->calls[__depth];		\
			__kept = true;					\
		}							\
		if (!__depth)						\
			bpf_map_delete_elem(&(map), key);		\
	}								\
	__kept;								\
})

/*
 * The address of the function that a (k)probe is at, at its entry as at its
 * return. 9ffd9f3ff719 ("bpf: Add bpf_get_func_ip helper for kprobe programs",
 * 5.15); before, only the entry knows it.
 */
static __always_inline __u64 function_address(void *ctx)
{
	return bpf_core_enum_value_exists(enum bpf_func_id, BPF_FUNC_get_func_ip) ? bpf_get_func_ip(ctx) : 0;
}

/* What libbpf's header does not have. */
#ifndef PT_REGS_PARM6
#ifdef __TARGET_ARCH_x86
#define PT_REGS_PARM6(regs) ((regs)->r9)
#else
#define PT_REGS_PARM6(regs) ((regs)->regs[5])
#endif
#endif

/* The return instruction takes the return address from the stack, or there is none. */
#ifdef __TARGET_ARCH_x86
#define RETURN_SIZE 8
#else
#define RETURN_SIZE 0
#endif

#define NO_RESULT(ctx) 0

/* f92c1e183604 ("bpf: Add get_func_[arg|ret|arg_cnt] helpers", 5.17): before, this does not load. */
#define FEXIT_RESULT(ctx)						\
({									\
	__u64 __result = 0;						\
									\
	bpf_get_func_ret(ctx, &__result);				\
	__result;							\
})

/* `fexit_result` is one of the two above. */
#define CALL_POINTS(begins, ends, fexit_result)				\
SEC("fentry")								\
int call__fentry(__u64 *ctx)						\
{									\
	struct call_key key = call_key(0, 0);				\
									\
	return begins(ctx, &key, 0, false);				\
}									\
									\
SEC("fexit")								\
int call__fexit(__u64 *ctx)						\
{									\
	struct call_key key = call_key(0, 0);				\
									\
	return ends(ctx, &key, fexit_result(ctx));			\
}									\
									\
SEC("kprobe.multi")							\
int call__multi(struct pt_regs *ctx)					\
{									\
	__u64 place = bpf_get_func_ip(ctx);				\
	struct call_key key = call_key(place, 0);			\
									\
	return begins(ctx, &key, place, true);				\
}									\
									\
SEC("kretprobe.multi")							\
int return__multi(struct pt_regs *ctx)					\
{									\
	struct call_key key = call_key(bpf_get_func_ip(ctx), 0);	\
									\
	return ends(ctx, &key, PT_REGS_RC(ctx));			\
}									\
									\
SEC("kprobe")								\
int call__kprobe(struct pt_regs *ctx)					\
{									\
	__u64 place = function_address(ctx);				\
	struct call_key key = call_key(place, 0);			\
									\
	return begins(ctx, &key, place ?: PT_REGS_IP(ctx), true);	\
}									\
									\
SEC("kretprobe")							\
int return__kprobe(struct pt_regs *ctx)					\
{									\
	struct call_key key = call_key(function_address(ctx), 0);	\
									\
	return ends(ctx, &key, PT_REGS_RC(ctx));			\
}									\
									\
USER_CALL_POINTS(begins, ends, __multi, ".multi")			\
USER_CALL_POINTS(begins, ends, , "")

#define USER_CALL_POINTS(begins, ends, suffix, multi)			\
SEC("uprobe" multi)							\
int user_call##suffix(struct pt_regs *ctx)				\
{									\
	__u64 place = place_number(ctx);				\
	struct call_key key = call_key(place, PT_REGS_SP(ctx));		\
									\
	return begins(ctx, &key, place, true);				\
}									\
									\
SEC("uretprobe" multi)							\
int user_return##suffix(struct pt_regs *ctx)				\
{									\
	struct call_key key = call_key(place_number(ctx), PT_REGS_SP(ctx) - RETURN_SIZE); \
									\
	return ends(ctx, &key, PT_REGS_RC(ctx));			\
}

/*
 * Functions of the kernel where they return, by address: RETURN_POINTS(map, returns) makes programs for all ways to
 * hook them, of which user space attaches one pair, or only the return. They call returns(ctx, place, result).
 * The map is one of CALLS, for kernels on which the return does not know of which function.
 */
#define RETURN_POINTS(map, returns)					\
SEC("kretprobe.multi")							\
int returned__multi(struct pt_regs *ctx)				\
{									\
	return returns(ctx, bpf_get_func_ip(ctx), PT_REGS_RC(ctx));	\
}									\
									\
SEC("kprobe")								\
int called__kprobe(struct pt_regs *ctx)					\
{									\
	struct call_key key = call_key(0, 0);				\
	typeof(&(*(map).value).calls[0]) call = call_begin(map, &key);	\
									\
	if (call)							\
		call->place = PT_REGS_IP(ctx);				\
	return 0;							\
}									\
									\
SEC("kretprobe")							\
int returned__kprobe(struct pt_regs *ctx)				\
{									\
	__u64 place = function_address(ctx);				\
									\
	if (!place) {							\
		struct call_key key = call_key(0, 0);			\
		typeof((*(map).value).calls[0]) call;			\
									\
		if (!call_end(map, &key, &call))			\
			return 0;					\
		place = call.place;					\
	}								\
	return returns(ctx, place, PT_REGS_RC(ctx));			\
}

#endif
