/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* The queue of a processor: what runs there and what waits. */
#ifndef KSCOPE_RQ_H
#define KSCOPE_RQ_H

#include "core.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct rq;

struct cfs_rq {
	unsigned int nr_running;
	struct rq *rq;
};

/* 736c55a02c47 ("sched/fair: Rename cfs_rq.nr_running into nr_queued", 6.14), c2a295bffeaf ("sched/fair: Rename h_nr_running into h_nr_queued", 6.14) */
struct cfs_rq___queued {
	unsigned int nr_queued;
	unsigned int h_nr_queued;
	unsigned int h_nr_runnable;
};

/* 76f2f783294d ("sched/eevdf: More PELT vs DELAYED_DEQUEUE", 6.12) */
struct cfs_rq___delayed {
	unsigned int h_nr_delayed;
};

struct rq {
	unsigned int nr_running;
	struct cfs_rq cfs;
};

struct sched_entity {
	struct cfs_rq *cfs_rq;
};

struct task_struct___queue {
	struct sched_entity se;
};

#pragma clang attribute pop

/*
 * How many tasks run and wait on a processor. Since 6.12 one that went to sleep
 * may stay in the queue for a while: it is not counted.
 */
static __always_inline __u32 tasks_in_queue(struct rq *rq)
{
	__u32 count = BPF_CORE_READ(rq, nr_running), asleep = 0;
	struct cfs_rq___queued *queued = (void *)&rq->cfs;
	struct cfs_rq___delayed *delayed = (void *)&rq->cfs;

	if (bpf_core_field_exists(queued->h_nr_runnable))
		asleep = BPF_CORE_READ(queued, h_nr_queued) - BPF_CORE_READ(queued, h_nr_runnable);
	else if (bpf_core_field_exists(delayed->h_nr_delayed))
		asleep = BPF_CORE_READ(delayed, h_nr_delayed);
	return asleep < count ? count - asleep : 0;
}

/* The queue of the processor that a task runs or waits on, or did so last. */
static __always_inline struct rq *queue_of(struct task_struct___queue *task)
{
	return BPF_CORE_READ(task, se.cfs_rq, rq);
}

/* The same in the queue of the current task's cgroup alone. */
static __always_inline __u32 tasks_in_own_queue(struct task_struct___queue *task)
{
	struct cfs_rq *own = BPF_CORE_READ(task, se.cfs_rq);
	struct cfs_rq___queued *queued = (void *)own;

	return bpf_core_field_exists(queued->nr_queued) ? BPF_CORE_READ(queued, nr_queued) : BPF_CORE_READ(own, nr_running);
}

#endif
