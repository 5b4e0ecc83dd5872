// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* In which order the threads of a process take mutexes. */
#include "filter.h"
#include "probe.h"
#include "stack.h"

#define HELD_MAX 16

enum kind {
	order,
	destroyed,
};

struct event {
	boot_ns_t time;
	enum kind kind;
	TASK_FIELDS;
	cgroup_id_t cgroup;
	maybe_count_t cycle;	/* user space numbers them */
	addr_t held;
	addr_t wanted;
	stack_id_t stack;
};

EVENT_RING(events, event);
STACKS(stacks);

struct locks {
	__u64 lock[HELD_MAX];
	__u32 depth[HELD_MAX];
};

COUNTED_MAP(held, BPF_MAP_TYPE_HASH, thread_t, struct locks, 16384);
DROP_COUNTER(locks_held);

struct edge {
	__u64 held;
	__u64 wanted;
	pid_t pid;
	__u32 zero;
};

/* Orders that were seen: each is told once. */
COUNTED_MAP(edges, BPF_MAP_TYPE_HASH, struct edge, __u8, 65536);

/* What is under way of the calls that may fail. */
ENTRY_MAP(tries, __u64);

static const struct locks no_locks = {};

static __always_inline struct locks *locks_of(thread_t tid)
{
	struct locks *locks = bpf_map_lookup_elem(&held, &tid);

	if (locks)
		return locks;
	if (bpf_map_update_elem(&held, &tid, &no_locks, BPF_NOEXIST))
		COUNT_DROPPED(held);
	return bpf_map_lookup_elem(&held, &tid);
}

static __always_inline struct event *begin(__u64 id, enum kind kind)
{
	struct event *event = event_reserve(events, event);

	if (!event)
		return NULL;
	event_head(event, id);
	event->kind = kind;
	event->cgroup = bpf_get_current_cgroup_id();
	event->stack = NO_STACK;
	return event;
}

static __always_inline void tell(void *ctx, __u64 id, __u64 before, __u64 lock)
{
	struct edge edge = { .held = before, .wanted = lock, .pid = id >> 32 };
	struct event *event;
	__u8 seen = 1;
	int error;

	if (bpf_map_lookup_elem(&edges, &edge))
		return;
	error = update_error(&edges, &edge, &seen, BPF_NOEXIST);
	if (error == -EEXIST)
		return;
	if (error)
		COUNT_DROPPED(edges);
	event = begin(id, order);
	if (!event)
		return;
	event->held = before;
	event->wanted = lock;
	event->stack = user_stack(ctx, stacks);
	event_submit(event);
}

/* `waits`: the thread has to have the lock before it goes on. */
static __always_inline void take(void *ctx, __u64 lock, bool waits)
{
	__u64 id = bpf_get_current_pid_tgid();
	struct locks *locks = locks_of(id);
	int free = -1;

	if (!locks || !lock)
		return;
	for (int i = 0; i < HELD_MAX; i++) {
		if (locks->lock[i] == lock) {
			locks->depth[i]++;
			return;
		}
		if (!locks->lock[i])
			free = i;
	}
	for (int i = 0; i < HELD_MAX && waits; i++) {
		if (locks->lock[i])
			tell(ctx, id, locks->lock[i], lock);
	}
	if (free < 0 || free >= HELD_MAX) {
		COUNT_DROPPED(locks_held);
		return;
	}
	locks->lock[free] = lock;
	locks->depth[free] = 1;
}

SEC("uprobe")
int BPF_KPROBE(lock_begins, void *lock)
{
	if (wanted_task(bpf_get_current_pid_tgid()))
		take(ctx, (__u64)lock, true);
	return 0;
}

SEC("uprobe")
int BPF_KPROBE(try_begins, void *lock)
{
	__u64 address = (__u64)lock;

	if (wanted_task(bpf_get_current_pid_tgid()))
		entry_keep(tries, &address);
	return 0;
}

SEC("uretprobe")
int BPF_KRETPROBE(try_ends, int error)
{
	__u64 *lock = entry_find(tries);

	if (!lock)
		return 0;
	if (!error)
		take(ctx, *lock, false);
	entry_forget(tries);
	return 0;
}

SEC("uprobe")
int BPF_KPROBE(unlock_begins, void *lock)
{
	thread_t tid = bpf_get_current_pid_tgid();
	struct locks *locks = bpf_map_lookup_elem(&held, &tid);

	for (int i = 0; i < HELD_MAX && locks; i++) {
		if (locks->lock[i] == (__u64)lock && !--locks->depth[i])
			locks->lock[i] = 0;
	}
	return 0;
}

SEC("uprobe")
int BPF_KPROBE(destroy_begins, void *lock)
{
	__u64 id = bpf_get_current_pid_tgid();
	struct event *event;

	if (!wanted_task(id))
		return 0;
	event = begin(id, destroyed);
	if (!event)
		return 0;
	event->held = (__u64)lock;
	event->wanted = (__u64)lock;
	event_submit(event);
	return 0;
}

SEC("tp/sched/sched_process_exit")
int process_exit__tp(void *ctx)
{
	thread_t tid = bpf_get_current_pid_tgid();

	bpf_map_delete_elem(&held, &tid);
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
