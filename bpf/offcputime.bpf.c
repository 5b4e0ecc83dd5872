// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* Where threads wait, and how long: the time between leaving a processor and coming back to one, by stack. */
#include "core.h"

struct key {
	pid_t pid;
	thread_t tid;
	comm_t comm[16];
	stack_id_t user;
	stack_id_t kernel;
};

#include "off-cpu.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";
