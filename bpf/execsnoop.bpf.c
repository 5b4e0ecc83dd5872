// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Programs that are started. A success is seen when the new program is in
 * place, with its arguments at the start of its own stack; a failure where the
 * system call returns, with the arguments still in the caller's memory.
 */
#define DENTRY_PATH_SLOTS 3

#include "core.h"
#include "events.h"
#include "filter.h"
#include "path.h"
#include "syscall-exit.h"
#include "text.h"

#define PATH_SIZE 256
#define PLACE_SIZE 512
#define ARGS_SIZE 16384
#define ARG_SIZE 4096		/* of one argument of a failed call */
#define ARG_COUNT 512		/* of a failed call */

const volatile bool include_failed = false;
const volatile bool with_paths = false;
const volatile pid_t filter_ppid = 0;

struct event {
	boot_ns_t time;
	pid_t pid;
	thread_t tid;		/* a failed call may come from any thread */
	pid_t ppid;
	uid_t uid;
	comm_t comm[16];	/* the new command; the caller's own if the call failed */
	comm_t pcomm[16];	/* the parent process, by its first thread */
	cpu_t cpu;
	errno_t error;
	cgroup_id_t cgroup;
	path_t path[PATH_SIZE];	/* the file that was named, for a script the script */
	mark_t truncated;		/* a piece of path or args is missing: too long, or its memory could not be read */
	maybe_dentry_path_t cwd[PLACE_SIZE];
	maybe_dentry_path_t exepath[PLACE_SIZE];	/* no link, and of a script its interpreter */
	args_t args[ARGS_SIZE];
};

EVENT_RING(events, event);
SCRATCH(exec_scratch, struct event, 1);

/* An argument is read before its length is known, so there is room for one more. */
struct failed_exec {
	struct event event;
	char spare[ARG_SIZE];
	__u32 size;		/* of event.args so far */
	bool complete;
};
/* One for each program. */
enum slot {
	EXECVE,
	EXECVEAT,
	SLOTS,
	PROCESS_EXEC = SLOTS,
};
SCRATCH(failed_exec_scratch, struct failed_exec, SLOTS);

/* Room for a path before it is cut. */
struct room {
	char path[DENTRY_PATH_BUFFER];
};
SCRATCH(path_scratch, struct room, DENTRY_PATH_SLOTS);

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct mm_struct___exe {
	struct file *exe_file;
};

#pragma clang attribute pop

DENTRY_PATHS_IN(path_scratch, path)

static __always_inline void place(char to[PLACE_SIZE], __u32 slot, struct path *path)
{
	char *buffer = dentry_path_buffer(slot);
	enum dentry_path_end end;
	__u32 length = 0;

	to[0] = '/';
	if (!with_paths || !buffer)
		return;
	__builtin_memset(buffer, 0, PLACE_SIZE);
	end = dentry_path_append(slot, &length, BPF_CORE_READ(path, mnt), BPF_CORE_READ(path, dentry));
	if (dentry_path_finish(buffer, length, end) > PLACE_SIZE - 8)
		dentry_path_cut(buffer, PLACE_SIZE);
	bpf_probe_read_kernel(to, PLACE_SIZE, buffer);
}

static __always_inline void fill_places(struct event *event, __u32 slot)
{
	struct task_struct *task = (void *)bpf_get_current_task();
	struct mm_struct___exe *mm = (void *)BPF_CORE_READ(task, mm);
	struct file *file = BPF_CORE_READ(mm, exe_file);
	struct fs_struct *fs = BPF_CORE_READ(task, fs);

	place(event->cwd, slot, __builtin_preserve_access_index(&fs->pwd));
	place(event->exepath, slot, __builtin_preserve_access_index(&file->f_path));
}

static __always_inline bool wanted_exec(__u64 id)
{
	struct task_struct *task = (void *)bpf_get_current_task();

	if (!wanted_task(id))
		return false;
	return !filter_ppid || BPF_CORE_READ(task, real_parent, tgid) == filter_ppid;
}

/* Everything but path, args and what may be missing of them. */
static __always_inline void fill_event(struct event *event, __u64 id, errno_t error)
{
	struct task_struct *task = (void *)bpf_get_current_task();
	struct task_struct *parent = BPF_CORE_READ(task, real_parent);

	event_head(event, id);
	event->ppid = BPF_CORE_READ(parent, tgid);
	BPF_CORE_READ_INTO(&event->pcomm, parent, group_leader, comm);
	event->cpu = bpf_get_smp_processor_id();
	event->error = error;
	event->cgroup = bpf_get_current_cgroup_id();
	event->truncated = false;
	__builtin_memset(event->path, 0, sizeof(event->path));
}

SEC("tp/sched/sched_process_exec")
int process_exec__tp(struct trace_event_raw_sched_process_exec *ctx)
{
	struct task_struct *task = (void *)bpf_get_current_task();
	const char *filename = (void *)ctx + (ctx->__data_loc_filename & 0xffff);
	__u64 id = bpf_get_current_pid_tgid();
	unsigned long start, size;
	struct event *event;

	if (!wanted_exec(id))
		return 0;
	event = scratch(exec_scratch, 0);
	if (!event)
		return 0;

	fill_event(event, id, 0);
	if (!read_kernel_text(event->path, sizeof(event->path), filename, &event->truncated))
		event->truncated = true;
	start = BPF_CORE_READ(task, mm, arg_start);
	size = BPF_CORE_READ(task, mm, arg_end) - start;
	if (size > sizeof(event->args)) {
		size = sizeof(event->args);
		event->truncated = true;
	}
	if (bpf_probe_read_user(event->args, size, (void *)start)) {
		size = 0;
		event->truncated = true;
	}
	fill_places(event, PROCESS_EXEC);
	event_output(events, event, offsetof(struct event, args) + size);
	return 0;
}

/*
 * Adds the argument that the caller's argv has at `place`. Returns false
 * behind the last one. It is a global function because the verifier then
 * checks it once, and not once for each argument.
 */
__noinline int add_argument(__u32 slot, __u64 place)
{
	struct failed_exec *failed = scratch(failed_exec_scratch, slot);
	const char *argument;
	__u32 length, size;

	if (!failed || bpf_probe_read_user(&argument, sizeof(argument), (void *)place))
		return false;
	if (!argument) {
		failed->complete = true;
		return false;
	}
	size = failed->size;
	if (size >= ARGS_SIZE)
		return false;
	length = read_user_text(failed->event.args + size, ARG_SIZE, argument, &failed->event.truncated);
	failed->size = size + length;
	return length != 0;
}

static __always_inline int failed_exec(enum slot slot, long ret, const char *name, const char *const *argv)
{
	__u64 id = bpf_get_current_pid_tgid();
	struct failed_exec *failed;
	struct event *event;
	__u32 size;

	if (!wanted_exec(id))
		return 0;
	failed = scratch(failed_exec_scratch, slot);
	if (!failed)
		return 0;
	event = &failed->event;

	fill_event(event, id, -ret);
	if (!read_user_text(event->path, sizeof(event->path), name, &event->truncated))
		event->truncated = true;
	failed->size = 0;
	failed->complete = !argv;
	for (int i = 0; i < ARG_COUNT && argv; i++)
		if (!add_argument(slot, (__u64)(argv + i)))
			break;
	size = failed->size;
	if (size > ARGS_SIZE) {
		size = ARGS_SIZE;
		failed->complete = false;
	}
	if (!failed->complete)
		event->truncated = true;
	fill_places(event, slot);
	event_output(events, event, offsetof(struct event, args) + size);
	return 0;
}

SEC("tp/syscalls/sys_exit_execve")
int execve__tp(struct syscall_trace_exit *ctx)
{
	long ret = syscall_result(ctx);
	struct pt_regs *regs;

	if (!include_failed || ret >= 0)
		return 0;
	regs = current_user_regs();
	return failed_exec(EXECVE, ret, (void *)syscall_arg1(regs), (void *)syscall_arg2(regs));
}

SEC("tp/syscalls/sys_exit_execveat")
int execveat__tp(struct syscall_trace_exit *ctx)
{
	long ret = syscall_result(ctx);
	struct pt_regs *regs;

	if (!include_failed || ret >= 0)
		return 0;
	regs = current_user_regs();
	return failed_exec(EXECVEAT, ret, (void *)syscall_arg2(regs), (void *)syscall_arg3(regs));
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
