// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* What inotify(7) and fanotify(7) tell to whom, and who made it happen. */
#include "filter.h"
#include "probe.h"
#include "text.h"

const volatile bool inotify_only = false;
const volatile bool fanotify_only = false;
const volatile pid_t filter_tracer = 0;
const volatile __u64 filter_group = 0;

enum kind {
	INOTIFY,
	FANOTIFY,
};

enum response {
	none,
	allow,
	deny,
};

struct event {
	boot_ns_t time;
	addr_t group;
	ns_t latency;
	enum kind kind;
	enum response response;
	pid_t tracer;
	comm_t tracer_comm[16];
	maybe_pid_t pid;
	thread_t tid;
	maybe_comm_t comm[16];
	__u32 mask;
	mark_t truncated;
	maybe_text_t name[256];
};

EVENT_RING(events, event);

/* An event that waits, by its address. */
struct waiting {
	__u64 since;
	pid_t pid;
	thread_t tid;
	comm_t comm[16];
	pid_t tracer;		/* who has read it, and has to answer */
	comm_t tracer_comm[16];
	__u64 latency;
};

COUNTED_MAP(queued, BPF_MAP_TYPE_HASH, __u64, struct waiting, 16384);

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct fsnotify_ops {
	void *handle_event;
};

struct fsnotify_group {
	struct fsnotify_ops *ops;
	bool shutdown;
};

struct fsnotify_event;

struct inotify_event_info {
	__u32 mask;
	int name_len;
	char name[];
};

struct fanotify_event {
	__u32 mask;
	unsigned int type: 3;
};

struct fanotify_info {
	__u8 dir_fh_totlen;
	__u8 file_fh_totlen;
	__u8 name_len;
	unsigned char buf[];
};

/* "fanotify: support secondary dir fh and name in fanotify_info" (5.17) */
struct fanotify_info___two {
	__u8 dir2_fh_totlen;
};

struct fanotify_name_event {
	struct fanotify_info info;
};

struct fanotify_path_event {
	struct path path;
};

struct fanotify_perm_event {
	struct path path;
	__u32 response;
};

enum fanotify_event_type {
	FANOTIFY_EVENT_TYPE_FID_NAME = 1,
	FANOTIFY_EVENT_TYPE_PATH = 2,
	FANOTIFY_EVENT_TYPE_PATH_PERM = 3,
};

#pragma clang attribute pop

#define FAN_ALLOW 1
#define FAN_DENY 2

extern const void fanotify_handle_event __ksym __weak;

static __always_inline bool is_fanotify(struct fsnotify_group *group)
{
	return BPF_CORE_READ(group, ops, handle_event) == &fanotify_handle_event;
}

static __always_inline int wait(struct fsnotify_group *group, struct fsnotify_event *event)
{
	__u64 id = bpf_get_current_pid_tgid(), address = (__u64)event;
	struct waiting waiting = { .since = bpf_ktime_get_ns(), .pid = id >> 32, .tid = id };

	if (!wanted_task(id) || (filter_group && (__u64)group != filter_group))
		return 0;
	if ((inotify_only || fanotify_only) && is_fanotify(group) != fanotify_only)
		return 0;
	bpf_get_current_comm(waiting.comm, sizeof(waiting.comm));
	if (bpf_map_update_elem(&queued, &address, &waiting, BPF_ANY))
		COUNT_DROPPED(queued);
	return 0;
}

SEC("fentry/fsnotify_insert_event")
int BPF_PROG(insert__fentry, struct fsnotify_group *group, struct fsnotify_event *event)
{
	return wait(group, event);
}

SEC("fentry/fsnotify_add_event")
int BPF_PROG(add__fentry, struct fsnotify_group *group, struct fsnotify_event *event)
{
	return wait(group, event);
}

static __always_inline void read_inotify(struct event *to, struct inotify_event_info *from)
{
	to->mask = BPF_CORE_READ(from, mask);
	if (BPF_CORE_READ(from, name_len))
		read_kernel_text(to->name, sizeof(to->name), from->name, &to->truncated);
}

static __always_inline void read_name(struct event *to, struct dentry *dentry)
{
	read_kernel_text(to->name, sizeof(to->name), (const char *)BPF_CORE_READ(dentry, d_name.name), &to->truncated);
}

static __always_inline __u32 fanotify_type(struct fanotify_event *from)
{
	return BPF_CORE_READ_BITFIELD_PROBED(from, type);
}

#define IS_TYPE(type, name) ((type) == bpf_core_enum_value(enum fanotify_event_type, FANOTIFY_EVENT_TYPE_##name))

static __always_inline void read_fanotify(struct event *to, void *from)
{
	__u32 type = fanotify_type(from);

	to->mask = BPF_CORE_READ((struct fanotify_event *)from, mask);
	if (IS_TYPE(type, PATH)) {
		read_name(to, BPF_CORE_READ((struct fanotify_path_event *)from, path.dentry));
	} else if (IS_TYPE(type, PATH_PERM)) {
		read_name(to, BPF_CORE_READ((struct fanotify_perm_event *)from, path.dentry));
	} else if (IS_TYPE(type, FID_NAME)) {
		struct fanotify_info *info = &((struct fanotify_name_event *)from)->info;
		struct fanotify_info___two *two = (void *)info;
		__u32 before = BPF_CORE_READ(info, dir_fh_totlen) + BPF_CORE_READ(info, file_fh_totlen);

		if (bpf_core_field_exists(two->dir2_fh_totlen))
			before += BPF_CORE_READ(two, dir2_fh_totlen);
		if (BPF_CORE_READ(info, name_len))
			read_kernel_text(to->name, sizeof(to->name), (char *)info->buf + before, &to->truncated);
	}
}

static __always_inline void tell(struct fsnotify_group *group, void *from, struct waiting *waiting, enum response response)
{
	struct event *event = event_reserve(events, event);

	if (!event)
		return;
	event->time = bpf_ktime_get_boot_ns();
	event->group = (__u64)group;
	event->latency = waiting->latency;
	event->response = response;
	event->tracer = waiting->tracer;
	__builtin_memcpy(event->tracer_comm, waiting->tracer_comm, sizeof(event->tracer_comm));
	event->pid = waiting->pid;
	event->tid = waiting->tid;
	__builtin_memcpy(event->comm, waiting->comm, sizeof(event->comm));
	if (is_fanotify(group)) {
		event->kind = FANOTIFY;
		read_fanotify(event, from);
	} else {
		read_inotify(event, from);
	}
	event_submit(event);
}

static __always_inline bool needs_response(struct fsnotify_group *group, void *event)
{
	return is_fanotify(group) && IS_TYPE(fanotify_type(event), PATH_PERM);
}

/* Reading takes it from the queue; so does the end of who should have read it. */
SEC("fexit/fsnotify_remove_first_event")
int BPF_PROG(remove__fexit, struct fsnotify_group *group, struct fsnotify_event *event)
{
	__u64 address = (__u64)event;
	struct waiting *waiting;

	if (!event || BPF_CORE_READ(group, shutdown))
		return 0;
	waiting = bpf_map_lookup_elem(&queued, &address);
	if (!waiting)
		return 0;
	waiting->latency = bpf_ktime_get_ns() - waiting->since;
	waiting->tracer = bpf_get_current_pid_tgid() >> 32;
	bpf_get_current_comm(waiting->tracer_comm, sizeof(waiting->tracer_comm));
	if (needs_response(group, event))
		return 0;
	if (!filter_tracer || waiting->tracer == filter_tracer)
		tell(group, event, waiting, none);
	bpf_map_delete_elem(&queued, &address);
	return 0;
}

/* What was merged into another one, has no room in the queue, or is answered. */
SEC("fentry/fsnotify_destroy_event")
int BPF_PROG(destroy__fentry, struct fsnotify_group *group, struct fsnotify_event *event)
{
	__u64 address = (__u64)event;
	struct waiting *waiting = bpf_map_lookup_elem(&queued, &address);
	__u32 answer;

	if (!waiting)
		return 0;
	if (waiting->tracer && (!filter_tracer || waiting->tracer == filter_tracer) && needs_response(group, event)) {
		answer = BPF_CORE_READ((struct fanotify_perm_event *)event, response);
		tell(group, event, waiting, answer & FAN_DENY ? deny : answer & FAN_ALLOW ? allow : none);
	}
	bpf_map_delete_elem(&queued, &address);
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
