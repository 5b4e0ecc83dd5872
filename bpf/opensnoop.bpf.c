// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * The open(2) family of system calls, seen where they return: the arguments
 * are still in the saved registers then, and the name is in memory for sure.
 */
/* One for each program. */
enum slot {
	OPEN,
	CREAT,
	OPENAT,
	OPENAT2,
	SLOTS,
};
#define DENTRY_PATH_SLOTS SLOTS

#include "core.h"
#include "events.h"
#include "filter.h"
#include "path.h"
#include "stack.h"
#include "syscall-exit.h"
#include "text.h"

/* The same on both architectures, unlike most open flags. */
#define O_WRONLY 01
#define O_CREAT 0100
#define O_TRUNC 01000
#define __O_TMPFILE 020000000

#define AT_FDCWD -100
#define RESOLVE_IN_ROOT 0x10

const volatile bool failed_only = false;
const volatile open_flags_t flag_filter = 0;	/* keep opens with any of these flags */
const volatile bool full_path = false;
const volatile bool user_stacks = false;

struct event {
	EVENT_HEAD;
	fd_t fd;
	errno_t error;
	open_flags_t flags;
	file_mode_t mode;	/* absent without O_CREAT and O_TMPFILE: the kernel ignores it then */
	mark_t truncated;	/* not the whole path: a name over 4095 bytes, or a cut walk */
	mark_t unreadable;	/* the name could not be read: the path is empty */
	stack_id_t callers;
	cgroup_id_t cgroup;
	/* The name as it was given; with full_path the file's path from the root. */
	dentry_path_t path[DENTRY_PATH_BUFFER];
};

EVENT_RING(events, event);
SCRATCH(open_scratch, struct event, SLOTS);
STACKS(stacks);

DENTRY_PATHS_IN(open_scratch, path)

struct open_args {
	enum slot slot;
	int dirfd;
	const char *name;
	open_flags_t flags;
	int mode;
	bool in_root;		/* absolute names start at dirfd */
};

struct open_how {
	__u64 flags;
	__u64 mode;
	__u64 resolve;
};

/* Reads the name as it was given into event->path. Returns its length with the NUL. */
static __always_inline __u32 read_name(struct event *event, const struct open_args *args)
{
	__u32 length;

	event->truncated = false;
	length = read_user_text(event->path, PATH_MAX, args->name, &event->truncated);
	event->unreadable = !length;
	if (!length)
		event->path[length++] = '\0';
	return length;
}

/*
 * Replaces the relative name in event->path (`length` bytes) by the path from
 * the root: that of the opened file, or else the directory's and the name.
 */
static __always_inline __u32
resolve(struct event *event, __u32 length, const struct open_args *args, long ret)
{
	struct task_struct *task = (void *)bpf_get_current_task();
	enum dentry_path_end end;
	struct vfsmount *mnt;
	struct dentry *dentry;
	struct file *file;

	file = current_file(ret);
	if (file) {
		__u32 own = 0;

		end = dentry_path_append(args->slot, &own, BPF_CORE_READ(file, f_path.mnt),
					 BPF_CORE_READ(file, f_path.dentry));
		if (end != DENTRY_PATH_DETACHED) {
			event->unreadable = false;
			event->truncated = end != DENTRY_PATH_ROOT;
			return dentry_path_finish(event->path, own, end);
		}
		/* A pipe opened through /proc, for one: it has no path but the one that was given. */
		length = read_name(event, args);
	}
	if (event->unreadable)
		return length;

	if (args->dirfd == AT_FDCWD) {
		mnt = BPF_CORE_READ(task, fs, pwd.mnt);
		dentry = BPF_CORE_READ(task, fs, pwd.dentry);
	} else {
		file = current_file(args->dirfd);
		if (!file)
			return length;
		mnt = BPF_CORE_READ(file, f_path.mnt);
		dentry = BPF_CORE_READ(file, f_path.dentry);
	}
	end = dentry_path_append(args->slot, &length, mnt, dentry);
	if (end != DENTRY_PATH_ROOT)
		event->truncated = true;
	return dentry_path_finish(event->path, length, end);
}

static __always_inline int trace_open(void *ctx, long ret, __u64 id, const struct open_args *args)
{
	struct event *event;
	__u32 length;

	if (flag_filter && !(args->flags & flag_filter))
		return 0;
	event = scratch(open_scratch, args->slot);
	if (!event)
		return 0;

	event_head(event, id);
	event->fd = ret < 0 ? -1 : ret;
	event->error = ret < 0 ? -ret : 0;
	event->flags = args->flags;
	event->mode = args->flags & (O_CREAT | __O_TMPFILE) ? args->mode & 0xffff : -1;
	event->callers = user_stacks ? user_stack(ctx, stacks) : NO_STACK;
	event->cgroup = bpf_get_current_cgroup_id();
	length = read_name(event, args);
	if (full_path && (event->path[0] != '/' || args->in_root))
		length = resolve(event, length, args, ret);
	if (length <= sizeof(event->path))
		event_output(events, event, offsetof(struct event, path) + length);
	return 0;
}

static __always_inline bool wanted_open(long ret, __u64 id)
{
	return wanted_task(id) && !(failed_only && ret >= 0);
}

/* At the return of a system call: what it was asked for is in the registers `regs`. */
#define AT_OPEN(syscall, ...)						\
SEC("tp/syscalls/sys_exit_" #syscall)					\
int syscall##__tp(struct syscall_trace_exit *ctx)			\
{									\
	__u64 id = bpf_get_current_pid_tgid();				\
	long ret = syscall_result(ctx);					\
	struct pt_regs *regs;						\
									\
	if (!wanted_open(ret, id))					\
		return 0;						\
	regs = current_user_regs();					\
	return trace_open(ctx, ret, id, &(struct open_args){ __VA_ARGS__ });	\
}

AT_OPEN(open,
	.slot = OPEN,
	.dirfd = AT_FDCWD,
	.name = (void *)syscall_arg1(regs),
	.flags = syscall_arg2(regs),
	.mode = syscall_arg3(regs))

AT_OPEN(creat,
	.slot = CREAT,
	.dirfd = AT_FDCWD,
	.name = (void *)syscall_arg1(regs),
	.flags = O_CREAT | O_WRONLY | O_TRUNC,
	.mode = syscall_arg2(regs))

AT_OPEN(openat,
	.slot = OPENAT,
	.dirfd = syscall_arg1(regs),
	.name = (void *)syscall_arg2(regs),
	.flags = syscall_arg3(regs),
	.mode = syscall_arg4(regs))

SEC("tp/syscalls/sys_exit_openat2")
int openat2__tp(struct syscall_trace_exit *ctx)
{
	__u64 id = bpf_get_current_pid_tgid();
	long ret = syscall_result(ctx);
	struct open_how how = {};
	struct pt_regs *regs;

	if (!wanted_open(ret, id))
		return 0;
	regs = current_user_regs();
	/* A shorter size than the structure ever had is an error, and so is memory that cannot be read. */
	if (syscall_arg4(regs) >= sizeof(how))
		bpf_probe_read_user(&how, sizeof(how), (void *)syscall_arg3(regs));
	return trace_open(ctx, ret, id, &(struct open_args){
		.slot = OPENAT2,
		.dirfd = syscall_arg1(regs),
		.name = (void *)syscall_arg2(regs),
		.flags = how.flags,
		.mode = how.mode,
		.in_root = how.resolve & RESOLVE_IN_ROOT,
	});
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
