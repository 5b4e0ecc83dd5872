// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * The last system calls of each process, kept in the kernel until somebody
 * asks: a map that forgets what is oldest.
 */
#include "compat.h"
#include "events.h"
#include "filter.h"
#include "syscall.h"
#include <bpf/bpf_tracing.h>

#define NUMBERS 1024
#define LAST_MAX 256

/* What user space knows of a call: whether it is wanted, and which two arguments are strings (from 1, 0: none). */
struct known {
	bool wanted;
	__u8 first;
	__u8 second;
};

const volatile __u32 last = 64;
const volatile bool only_known = false;

struct event {
	boot_ns_t time;
	maybe_ns_t duration;
	pid_t pid;
	thread_t tid;
	uid_t uid;
	cpu_t cpu;
	comm_t comm[16];
	cgroup_id_t cgroup;
	__u64 number;		/* of the calls of the process */
	syscall_t syscall;
	mark_t unfinished;
	__s64 ret;
	errno_t error;
	addr_t args[6];
	maybe_text_t text[64];	/* of the first argument that is a string */
	maybe_text_t text2[64];
};

EVENT_RING(events, event);

struct key {
	pid_t pid;
	__u32 slot;
};

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 32768);
	__type(key, struct key);
	__type(value, struct event);
} calls SEC(".maps");

/* How many calls each process has made. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 8192);
	__type(key, pid_t);
	__type(value, __u64);
} made SEC(".maps");

/* The call that each thread is in. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 32768);
	__type(key, thread_t);
	__type(value, struct key);
} under_way SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, NUMBERS);
	__type(key, __u32);
	__type(value, struct known);
} known SEC(".maps");

#if defined(__TARGET_ARCH_x86)
#define syscall_arg6(regs) user_reg(regs, r9)
#else
#define syscall_arg6(regs) user_reg(regs, regs[5])
#endif

SCRATCH(call_scratch, struct event, 1);

static __always_inline void read_text(char *to, const struct event *event, __u8 argument)
{
	to[0] = '\0';
	if (argument && argument <= 6)
		bpf_probe_read_user_str(to, 64, (void *)event->args[(argument - 1) & 7]);
}

/* Not atomic where kernels do not know the instruction (before 5.12): threads of a process may share a number. */
static __always_inline __u64 next_number(pid_t pid, bool atomic)
{
	__u64 *count = bpf_map_lookup_elem(&made, &pid), none = 0;

	if (!count) {
		bpf_map_update_elem(&made, &pid, &none, BPF_NOEXIST);
		count = bpf_map_lookup_elem(&made, &pid);
	}
	if (!count)
		return 0;
	return atomic ? __sync_fetch_and_add(count, 1) : (*count)++;
}

static __always_inline int keep_call(struct pt_regs *regs, bool atomic)
{
	__u64 id = bpf_get_current_pid_tgid();
	__u32 call = current_syscall(regs);
	struct known *about = bpf_map_lookup_elem(&known, &call);
	struct event *event = scratch(call_scratch, 0);
	struct key key = { .pid = id >> 32 };
	thread_t tid = id;

	if (!event || (only_known && !(about && about->wanted)) || !wanted_task(id))
		return 0;
	event->time = bpf_ktime_get_boot_ns();
	event->duration = 0;
	event->pid = key.pid;
	event->tid = tid;
	event->uid = bpf_get_current_uid_gid();
	event->cpu = bpf_get_smp_processor_id();
	bpf_get_current_comm(event->comm, sizeof(event->comm));
	event->cgroup = bpf_get_current_cgroup_id();
	event->number = next_number(key.pid, atomic);
	event->syscall = call;
	event->unfinished = true;
	event->ret = 0;
	event->error = 0;
	event->args[0] = syscall_arg1(regs);
	event->args[1] = syscall_arg2(regs);
	event->args[2] = syscall_arg3(regs);
	event->args[3] = syscall_arg4(regs);
	event->args[4] = syscall_arg5(regs);
	event->args[5] = syscall_arg6(regs);
	read_text(event->text, event, about ? about->first : 0);
	read_text(event->text2, event, about ? about->second : 0);
	key.slot = event->number % last;
	bpf_map_update_elem(&calls, &key, event, BPF_ANY);
	bpf_map_update_elem(&under_way, &tid, &key, BPF_ANY);
	return 0;
}

SEC("tp_btf/sys_enter")
int BPF_PROG(sys_enter__tp_btf, struct pt_regs *regs, long number)
{
	return keep_call(regs, true);
}

SEC("tp_btf/sys_enter")
int BPF_PROG(sys_enter_shared__tp_btf, struct pt_regs *regs, long number)
{
	return keep_call(regs, false);
}

SEC("tp_btf/sys_exit")
int BPF_PROG(sys_exit__tp_btf, struct pt_regs *regs, long ret)
{
	thread_t tid = bpf_get_current_pid_tgid();
	struct key *key = bpf_map_lookup_elem(&under_way, &tid);
	struct event *event = key ? bpf_map_lookup_elem(&calls, key) : NULL;
	__u32 call;

	/* Other threads of the process may have taken the place meanwhile. */
	if (event && event->tid == tid && event->unfinished) {
		event->duration = bpf_ktime_get_boot_ns() - event->time;
		event->unfinished = false;
		event->ret = ret;
		event->error = ret < 0 && ret >= -4095 ? -ret : 0;
		call = event->syscall;
		/* The first time that a string is touched, it may not be in memory at the entry. */
		if (!event->text[0] || !event->text2[0]) {
			struct known *about = bpf_map_lookup_elem(&known, &call);

			if (about && about->first && !event->text[0])
				read_text(event->text, event, about->first);
			if (about && about->second && !event->text2[0])
				read_text(event->text2, event, about->second);
		}
	}
	if (key)
		bpf_map_delete_elem(&under_way, &tid);
	return 0;
}

/* A process that a signal ends tells what it did last. */
SEC("tp/sched/sched_process_exit")
int process_exit__tp(struct trace_event_raw_sched_process_exit *ctx)
{
	struct task_struct *task = (void *)bpf_get_current_task();
	struct key key = { .pid = bpf_get_current_pid_tgid() >> 32 };
	__u64 *count = bpf_map_lookup_elem(&made, &key.pid), number;

	if (!count || !(BPF_CORE_READ(task, exit_code) & 0x7f) || BPF_CORE_READ(task, signal, live.counter) > 0)
		return 0;
	number = *count;
	for (int i = 0; i < LAST_MAX && i < last; i++) {
		struct event *event;

		key.slot = (number + i) % last;
		event = bpf_map_lookup_elem(&calls, &key);
		if (event) {
			event_output(events, event, sizeof(*event));
			bpf_map_delete_elem(&calls, &key);
		}
	}
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
