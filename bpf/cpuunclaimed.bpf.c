// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Processors that have nothing to do while tasks wait for others, by samples.
 * Each busy processor looks at the queues of all of them at its own tick: idle
 * ones need no tick, and no two have to come at the same time.
 */
#include "core.h"
#include "events.h"
#include "iter.h"
#include "rq.h"
#include "table.h"
#include <bpf/bpf_helpers.h>

#define CPUS 256
#define WORDS (CPUS / 64)
#define QUEUE_MAX 32
/* Of a sample: unclaimed processors are shared out between those that see them. */
#define WHOLE 1000

const volatile __u32 cpus = 1;
const volatile bool any_task = false;
const volatile bool every_sample = false;

struct value {
	count_t busy;
	count_t unclaimed;	/* in thousandths of a sample */
};

/* One for all. */
struct key {
	__u32 _all;
};

TABLE(samples, struct key, struct value, 1);

/* A sample, when each is wanted. */
struct event {
	boot_ns_t time;
	cpu_t cpu;		/* the one that looked */
	__u16 tasks[CPUS];	/* in the queue of each, what runs there included */
};

EVENT_RING(events, event);

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, CPUS);
	__type(key, __u32);
	__type(value, __u64);
} queues SEC(".maps");

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct list_head {
	struct list_head *next;
};

struct rq___tasks {
	struct task_struct *curr;
	struct task_struct *idle;
	int cpu;
	struct list_head cfs_tasks;
};

struct sched_entity___node {
	struct list_head group_node;
};

struct task_struct___mask {
	struct sched_entity___node se;
	const void *cpus_ptr;
};

#pragma clang attribute pop

/*
 * What a sample finds out, in a map: of numbers on its stack the verifier
 * would follow each value that they can have.
 */
struct look {
	__u64 idle[WORDS];
	__u32 idle_cpus;
	__u32 waiting;
	__u32 movable;
	struct event event;
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct look);
} looks SEC(".maps");

static __always_inline void keep_queue(struct rq *rq)
{
	__u32 cpu = BPF_CORE_READ((struct rq___tasks *)rq, cpu);
	__u64 address = (__u64)rq;

	if (rq && cpu < CPUS)
		bpf_map_update_elem(&queues, &cpu, &address, BPF_ANY);
}

/* Run once: some task of each processor is always there. */
SEC("iter/task")
int learn(struct bpf_iter__task *ctx)
{
	struct task_struct *task = ctx->task;

	if (task)
		keep_queue(queue_of((void *)task));
	return 0;
}

static __always_inline bool may_use(struct task_struct___mask *task, const struct look *look)
{
	const void *mask = BPF_CORE_READ(task, cpus_ptr);

#pragma unroll
	for (int i = 0; i < WORDS; i++) {
		__u64 allowed = 0;

		if (look->idle[i] && !bpf_probe_read_kernel(&allowed, sizeof(allowed), mask + 8 * i) &&
		    (allowed & look->idle[i]))
			return true;
	}
	return false;
}

/* Counts those that wait in a queue and may run on an idle processor. */
static __always_inline void count_movable(struct rq___tasks *rq, struct look *look)
{
	struct task_struct *running = BPF_CORE_READ(rq, curr);
	void *end = (void *)rq + bpf_core_field_offset(struct rq___tasks, cfs_tasks);
	struct list_head *node = BPF_CORE_READ(rq, cfs_tasks.next);

	for (int i = 0; i < QUEUE_MAX && node && (void *)node != end; i++) {
		void *task = (void *)node - bpf_core_field_offset(struct task_struct___mask, se.group_node);

		if (task != running && may_use(task, look))
			look->movable++;
		node = BPF_CORE_READ(node, next);
	}
}

static __always_inline void tell_queues(struct event *event)
{
	event->time = bpf_ktime_get_boot_ns();
	event->cpu = bpf_get_smp_processor_id();
	for (__u32 cpu = 0; cpu < CPUS && cpu < cpus; cpu++) {
		__u32 index = cpu;
		__u64 *address = bpf_map_lookup_elem(&queues, &index);

		event->tasks[cpu & (CPUS - 1)] = address && *address ? tasks_in_queue((void *)*address) : 0;
	}
	event_output(events, event, sizeof(*event));
}

static __always_inline __u32 waiting_in(struct rq *rq)
{
	__u32 tasks = tasks_in_queue(rq);

	return tasks > 1 ? tasks - 1 : 0;
}

SEC("perf_event")
int sample(void *ctx)
{
	struct task_struct___queue *task = (void *)bpf_get_current_task();
	__u32 zero = 0, waiting, own, share;
	struct rq *here = queue_of(task);
	struct key key = {};
	struct value *value;
	struct look *look;

	/* The idle thread. */
	if (!(__u32)bpf_get_current_pid_tgid())
		return 0;
	keep_queue(here);
	value = table_row(samples, &key);
	look = bpf_map_lookup_elem(&looks, &zero);
	if (!value || !look)
		return 0;
	if (every_sample) {
		tell_queues(&look->event);
		return 0;
	}
	__sync_fetch_and_add(&value->busy, 1);
	own = waiting_in(here);
	if (!own)
		return 0;
	__builtin_memset(look, 0, sizeof(*look));
	for (__u32 cpu = 0; cpu < CPUS && cpu < cpus; cpu++) {
		__u32 index = cpu;
		__u64 *address = bpf_map_lookup_elem(&queues, &index);
		struct rq___tasks *rq = address ? (void *)*address : NULL;

		if (!rq)
			continue;
		if (BPF_CORE_READ(rq, curr) == BPF_CORE_READ(rq, idle)) {
			look->idle_cpus++;
			look->idle[(cpu / 64) & (WORDS - 1)] |= 1ULL << (cpu % 64);
		} else {
			look->waiting += waiting_in((struct rq *)rq);
		}
	}
	/* The queues may have changed meanwhile. */
	waiting = look->waiting < own ? own : look->waiting;
	share = (look->idle_cpus < waiting ? look->idle_cpus : waiting) * WHOLE * own / waiting;
	if (share && !any_task) {
		__u32 most;

		count_movable((void *)here, look);
		most = look->movable * WHOLE;
		share = share < most ? share : most;
	}
	__sync_fetch_and_add(&value->unclaimed, share);
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
