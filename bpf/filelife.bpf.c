// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* Files that are deleted soon after they were made. */
enum slot {
	UNLINK,
	SLOTS,
};
#define DENTRY_PATH_SLOTS SLOTS

#include "calls.h"
#include "named-path.h"

#define FMODE_CREATED 0x100000
#define TMPFILE_FLAG 020000000	/* __O_TMPFILE: the file has no name, and may get one by linkat(2) */

const volatile bool full_path = false;

/* The user namespace or its successor came in front with 549c7297717c ("fs: make helpers idmap mount aware", 5.12). */
const volatile __u32 vfs_unlink_arguments = 4;

struct event {
	CALL_FIELDS;
	ns_t age;
	pid_t creator;
	comm_t ccomm[16];
	mark_t truncated;
	dentry_path_t path[DENTRY_PATH_BUFFER];
};

EVENT_RING(events, event);
SCRATCH(life_scratch, struct event, SLOTS);
DENTRY_PATHS_IN(life_scratch, path)

/* The number of an inode is soon that of another file, but then its generation differs. */
struct identity {
	__u64 inode;
	__u32 dev;
	__u32 generation;
};

struct creation {
	__u64 time;
	pid_t pid;
	char comm[16];
};

/* Of what is never deleted the oldest is forgotten. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 65536);
	__type(key, struct identity);
	__type(value, struct creation);
} creations SEC(".maps");

/* A file system on top of another one deletes there, too, meanwhile. */
struct deletion {
	struct dentry *dentry;
	struct inode *inode;
	__u32 below;
};

ENTRY_MAP(deletions, struct deletion);

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct inode___life {
	unsigned int i_nlink;
	__u32 i_generation;
};

struct file___tmpfile {
	unsigned int f_flags;
};

struct dentry___inode {
	struct inode *d_inode;
};

#pragma clang attribute pop

static __always_inline struct identity identity_of(struct inode *inode)
{
	return (struct identity){
		.inode = BPF_CORE_READ(inode, i_ino),
		.dev = BPF_CORE_READ(inode, i_sb, s_dev),
		.generation = BPF_CORE_READ((struct inode___life *)inode, i_generation),
	};
}

static __always_inline int opened(long fd)
{
	struct file *file = fd >= 0 ? current_file(fd) : NULL;
	struct creation creation = {};
	struct identity identity;

	if (!file || (!(BPF_CORE_READ(file, f_mode) & FMODE_CREATED) &&
		      !(BPF_CORE_READ((struct file___tmpfile *)file, f_flags) & TMPFILE_FLAG)))
		return 0;
	identity = identity_of(BPF_CORE_READ(file, f_inode));
	creation.time = bpf_ktime_get_boot_ns();
	creation.pid = bpf_get_current_pid_tgid() >> 32;
	bpf_get_current_comm(creation.comm, sizeof(creation.comm));
	bpf_map_update_elem(&creations, &identity, &creation, BPF_ANY);
	return 0;
}

AT_EXIT(open)
{
	return opened(ctx->ret);
}

AT_EXIT(creat)
{
	return opened(ctx->ret);
}

AT_EXIT(openat)
{
	return opened(ctx->ret);
}

AT_EXIT(openat2)
{
	return opened(ctx->ret);
}

static __always_inline int enter(struct dentry *dentry)
{
	struct deletion deletion = { .dentry = dentry };
	struct dentry___inode *named = (void *)dentry;
	struct deletion *above = entry_find(deletions);

	if (above) {
		above->below++;
		return 0;
	}
	deletion.inode = BPF_CORE_READ(named, d_inode);
	if (wanted_task(bpf_get_current_pid_tgid()))
		entry_keep(deletions, &deletion);
	return 0;
}

/* The name in the call, where this is one: unlink(2), or unlinkat(2). */
static __always_inline __u32 given_path(struct event *event, struct pt_regs *regs)
{
	int dirfd = AT_FDCWD;
	const char *name = (void *)syscall_arg1(regs);

#if defined(__TARGET_ARCH_x86)
	if (event->syscall != 87) {
		if (event->syscall != 263)
			return 0;
#else
	{
		if (event->syscall != 35)
			return 0;
#endif
		dirfd = syscall_arg1(regs);
		name = (void *)syscall_arg2(regs);
	}
	return named_path(event->path, UNLINK, dirfd, name, true, &event->truncated);
}

static __always_inline int leave(long ret)
{
	struct pt_regs *regs = current_user_regs();
	struct deletion *found = entry_find(deletions);
	__u64 id = bpf_get_current_pid_tgid();
	struct creation *creation;
	struct inode___life *life;
	struct identity identity;
	struct dentry *dentry;
	struct inode *inode;
	struct event *event;
	__u32 length = 0;

	if (!found)
		return 0;
	if (found->below) {
		found->below--;
		return 0;
	}
	dentry = found->dentry;
	inode = found->inode;
	life = (void *)inode;
	entry_forget(deletions);
	/* With another name the file goes on. */
	if (ret || BPF_CORE_READ(life, i_nlink))
		return 0;
	identity = identity_of(inode);
	creation = bpf_map_lookup_elem(&creations, &identity);
	event = scratch(life_scratch, UNLINK);
	if (!creation || !event)
		return 0;
	call_fields(event, id, regs, ret);
	event->age = event->time - creation->time;
	event->creator = creation->pid;
	__builtin_memcpy(event->ccomm, creation->comm, sizeof(event->ccomm));
	bpf_map_delete_elem(&creations, &identity);
	event->truncated = false;
	if (full_path)
		length = given_path(event, regs);
	if (!length) {
		length = read_kernel_text(event->path, NAME_MAX + 1, (void *)BPF_CORE_READ(dentry, d_name.name),
					  &event->truncated);
		if (!length)
			event->path[length++] = '\0';
	}
	if (length <= sizeof(event->path))
		event_output(events, event, offsetof(struct event, path) + length);
	return 0;
}

SEC("fentry/vfs_unlink")
int unlink__fentry(__u64 *ctx)
{
	return enter((void *)(vfs_unlink_arguments == 3 ? kept_apart(ctx[1]) : ctx[2]));
}

SEC("fexit/vfs_unlink")
int unlink__fexit(__u64 *ctx)
{
	return leave((int)(vfs_unlink_arguments == 3 ? kept_apart(ctx[3]) : ctx[4]));
}

SEC("kprobe/vfs_unlink")
int unlink__kprobe(struct pt_regs *ctx)
{
	return enter((void *)(vfs_unlink_arguments == 3 ? kept_apart(PT_REGS_PARM2(ctx)) : PT_REGS_PARM3(ctx)));
}

SEC("kretprobe/vfs_unlink")
int unlink__kretprobe(struct pt_regs *ctx)
{
	return leave((int)PT_REGS_RC(ctx));
}

/* Where functions cannot be hooked, only ext4 says both. */
SEC("tp_btf/ext4_unlink_enter")
int BPF_PROG(ext4_unlink__tp_btf, struct inode *parent, struct dentry *dentry)
{
	return enter(dentry);
}

SEC("tp_btf/ext4_unlink_exit")
int BPF_PROG(ext4_unlinked__tp_btf, struct dentry *dentry, int ret)
{
	return leave(ret);
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
