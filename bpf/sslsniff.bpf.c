// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* What programs give to TLS libraries to encrypt, and get from them. */
#include "filter.h"
#include "probe.h"

#define MAX_DATA 65536

const volatile __u32 max_data = 8192;

enum function {
	READ,
	WRITE,
	HANDSHAKE,
};

struct event {
	boot_ns_t time;
	enum function function;
	TASK_FIELDS;
	bytes_t size;
	ns_t latency;
	cgroup_id_t cgroup;
	data_t data[sizeof(__u32) + MAX_DATA];
};

EVENT_RING(events, event);

struct call {
	__u64 start;
	const void *data;
	const __u64 *moved;	/* where the functions that return success put how much it was */
	enum function function;
};

ENTRY_MAP(calls, struct call);

static __always_inline int begins(enum function function, const void *data, const __u64 *moved)
{
	struct call call = { .data = data, .moved = moved, .function = function };

	if (!wanted_task(bpf_get_current_pid_tgid()))
		return 0;
	call.start = bpf_ktime_get_boot_ns();
	entry_keep(calls, &call);
	return 0;
}

/* Fills a record with room for `room` bytes (constant) of data. */
static __always_inline void fill(struct event *event, const struct call *call, __u64 size, const __u32 room)
{
	__u64 id = bpf_get_current_pid_tgid();
	__u32 length = size < max_data ? size : max_data;

	if (length > room)
		length = room;
	__builtin_memset(event, 0, __builtin_offsetof(struct event, data));
	event_head(event, id);
	event->function = call->function;
	event->size = size;
	event->latency = event->time - call->start;
	event->cgroup = bpf_get_current_cgroup_id();
	/* The program has just had it in memory. */
	if (bpf_probe_read_user(event->data + sizeof(length), length, call->data))
		length = 0;
	__builtin_memcpy(event->data, &length, sizeof(length));
	event_submit(event);
}

/* A record's room is a constant for the kernel: the smallest that there is for the data. */
#define send(call, size, room)							\
do {										\
	struct event *__event = bpf_ringbuf_reserve(&events,			\
		__builtin_offsetof(struct event, data) + sizeof(__u32) + (room), 0); \
	if (__event)								\
		fill(__event, call, size, room);				\
	else									\
		COUNT(events_lost);						\
} while (0)

static __always_inline void ended(const struct call *call, __u64 size)
{
	__u64 kept = size < max_data ? size : max_data;

	if (kept <= 256)
		send(call, size, 256);
	else if (kept <= 2048)
		send(call, size, 2048);
	else if (kept <= 16384)
		send(call, size, 16384);
	else
		send(call, size, MAX_DATA);
}

SEC("uprobe")
int BPF_KPROBE(read_begins, void *session, void *data)
{
	return begins(READ, data, NULL);
}

SEC("uprobe")
int BPF_KPROBE(write_begins, void *session, const void *data)
{
	return begins(WRITE, data, NULL);
}

SEC("uprobe")
int BPF_KPROBE(read_ex_begins, void *session, void *data, unsigned long size, const __u64 *moved)
{
	return begins(READ, data, moved);
}

SEC("uprobe")
int BPF_KPROBE(write_ex_begins, void *session, const void *data, unsigned long size, const __u64 *moved)
{
	return begins(WRITE, data, moved);
}

/* Failed calls and those that have to be made again return no more than 0. */
SEC("uretprobe")
int BPF_KRETPROBE(transfer_ends, int result)
{
	struct call *call = entry_find(calls);
	__u64 size = result;

	if (!call)
		return 0;
	if (result > 0 && call->moved && bpf_probe_read_user(&size, sizeof(size), call->moved))
		size = 0;
	if (result > 0 && call->function != HANDSHAKE)
		ended(call, size);
	entry_forget(calls);
	return 0;
}

SEC("uprobe")
int BPF_KPROBE(handshake_begins)
{
	return begins(HANDSHAKE, NULL, NULL);
}

/* OpenSSL returns 1 when all is done, GnuTLS and NSS 0. */
static __always_inline int handshake_ended(bool done)
{
	struct call *call = entry_find(calls);

	if (!call)
		return 0;
	if (done && call->function == HANDSHAKE)
		ended(call, 0);
	entry_forget(calls);
	return 0;
}

SEC("uretprobe")
int BPF_KRETPROBE(openssl_handshake_ends, int result)
{
	return handshake_ended(result == 1);
}

SEC("uretprobe")
int BPF_KRETPROBE(other_handshake_ends, int result)
{
	return handshake_ended(result == 0);
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
