// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* The processes that there are, with what they use, as the kernel lists their threads. */
#include "core.h"
#include "iter.h"
#include "task-state.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#define FILE_PAGES 0
#define ANONYMOUS_PAGES 1
#define SHARED_PAGES 3

const volatile bool by_thread = false;
const volatile bool with_kernel = false;
const volatile __u32 page_size = 4096;

struct row {
	pid_t pid;
	thread_t tid;
	pid_t ppid;
	uid_t uid;
	__u32 threads;
	enum thread_state state;
	comm_t comm[16];
	ns_t cpu_time;
	maybe_ns_t age;
	maybe_bytes_t rss;
	maybe_bytes_t virt;
	boot_ns_t start;
	__u32 start_ticks;	/* hundredths of a second, as /proc/PID/stat has it */
};

const struct row *const rows_record SEC(".types");

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct percpu_counter {
	long long count;
};

struct mm_struct___use {
	unsigned long total_vm;
	struct percpu_counter rss_stat[4];
};

typedef struct {
	long long counter;
} atomic64_t;

struct mm_rss_stat {
	atomic64_t count[4];
};

struct mm_struct___atomic {
	struct mm_rss_stat rss_stat;
};

struct sched_entity {
	__u64 sum_exec_runtime;
};

struct signal_struct___use {
	unsigned long long sum_sched_runtime;
};

struct task_struct___use {
	struct sched_entity se;
	struct signal_struct___use *signal;
};

#pragma clang attribute pop

/*
 * Pages of memory of a kind. f1a7941243c1 ("mm: convert mm's rss stats into
 * percpu_counter", 6.2): what processors have not added yet is missing, as
 * before it was what threads had not.
 */
#define PAGES(mm, kind)									\
({											\
	long long __pages = bpf_core_type_exists(struct mm_rss_stat) ?			\
				    BPF_CORE_READ((struct mm_struct___atomic *)mm, rss_stat.count[kind].counter) : \
				    BPF_CORE_READ((struct mm_struct___use *)mm, rss_stat[kind].count); \
											\
	__pages > 0 ? __pages : 0;							\
})

SEC("iter/task")
int tasks(struct bpf_iter__task *ctx)
{
	struct task_struct *task = ctx->task;
	struct task_struct___use *use = (void *)task;
	struct task_struct *leader;
	struct mm_struct *mm;
	struct row row = {};

	if (!task)
		return 0;
	leader = BPF_CORE_READ(task, group_leader);
	if (!wanted_other_task(by_thread ? task : leader) || (!with_kernel && is_kernel_thread(task)))
		return 0;
	row.pid = BPF_CORE_READ(task, tgid);
	row.tid = BPF_CORE_READ(task, pid);
	row.ppid = BPF_CORE_READ(task, real_parent, tgid);
	row.uid = BPF_CORE_READ((struct task_struct___other *)task, cred, uid.val);
	row.threads = BPF_CORE_READ(task, signal, nr_threads);
	row.state = state_of(task);
	BPF_CORE_READ_STR_INTO(&row.comm, task, comm);
	row.cpu_time = BPF_CORE_READ(use, se.sum_exec_runtime);
	/* Of threads that have ended. */
	if (!by_thread && row.tid == row.pid)
		row.cpu_time += BPF_CORE_READ(use, signal, sum_sched_runtime);
	row.start = BPF_CORE_READ(task, start_boottime);
	row.start_ticks = row.start / 10000000;
	row.age = bpf_ktime_get_boot_ns() - row.start;
	mm = BPF_CORE_READ(task, mm);
	if (mm) {
		row.rss = (PAGES(mm, FILE_PAGES) + PAGES(mm, ANONYMOUS_PAGES) + PAGES(mm, SHARED_PAGES)) * page_size;
		row.virt = BPF_CORE_READ((struct mm_struct___use *)mm, total_vm) * page_size;
	}
	bpf_seq_write(ctx->meta->seq, &row, sizeof(row));
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
