// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* Where threads wait, how long, and who ends it: the time off the processors by the stacks of both. */
#include "core.h"

struct key {
	pid_t pid;
	thread_t tid;
	comm_t comm[16];
	stack_id_t user;
	stack_id_t kernel;
	maybe_pid_t waker_pid;
	comm_t waker[16];
	stack_id_t waker_kernel;
};

#define OFF_CPU_KEY , .waker_kernel = NO_STACK
#include "off-cpu.h"

/* Not sched_wakeup, which may run on the processor of the one that is woken. */
SEC("tp_btf/sched_waking")
int BPF_PROG(waking__tp_btf, struct task_struct *target)
{
	thread_t tid = BPF_CORE_READ(target, pid);
	struct left *left = bpf_map_lookup_elem(&waiting, &tid);

	if (!left)
		return 0;
	left->key.waker_pid = bpf_get_current_pid_tgid() >> 32;
	bpf_get_current_comm(left->key.waker, sizeof(left->key.waker));
	left->key.waker_kernel = kernel_stack(ctx, stacks);
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
