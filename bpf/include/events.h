/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Records on their way to user space.
 *
 * User space drains the rings by timer, so nothing here wakes it: a wakeup
 * costs the traced process several times what the record itself does.
 */
#ifndef KSCOPE_EVENTS_H
#define KSCOPE_EVENTS_H

#include "core.h"
#include <bpf/bpf_helpers.h>

/*
 * EVENT_RING(ring, tag): a ring buffer of `struct tag` records. User space may
 * change its size before load. <ring>_record tells which structure is on it
 * (and keeps it in BTF), <ring>_lost counts the records that found no room.
 */
#define EVENT_RING(ring, tag)						\
	struct {							\
		__uint(type, BPF_MAP_TYPE_RINGBUF);			\
		__uint(max_entries, 8 << 20);				\
	} ring SEC(".maps");						\
	const struct tag *const ring##_record SEC(".types");		\
	__u64 ring##_lost

/* A counter of what could not be kept: see EVENT_RING and COUNT_DROPPED. */
#define COUNT(counter) __sync_fetch_and_add(&(counter), 1)

/*
 * For maps that can be full: `DROP_COUNTER(starts);` beside the map, and
 * `COUNT_DROPPED(starts)` where an update failed. COUNTED_MAP is both, the map
 * and its counter.
 */
#define DROP_COUNTER(map) __u64 map##_dropped
#define COUNT_DROPPED(map) COUNT(map##_dropped)
#define COUNTED_MAP(map, map_type, key_type, value_type, entries)	\
	struct {							\
		__uint(type, map_type);					\
		__uint(max_entries, entries);				\
		__type(key, key_type);					\
		__type(value, value_type);				\
	} map SEC(".maps");						\
	DROP_COUNTER(map)

/*
 * Why an update failed, to be compared with an error number: an int, whatever
 * the helper says. Map operations only return a long since d7ba4cc900bf (6.4),
 * and before, the kernel calls them in the place of the helper.
 */
#define update_error(map, key, value, flags) ((int)bpf_map_update_elem(map, key, value, flags))

/*
 * Fixed-length records: event_reserve() gives zeroed room in the ring or NULL
 * (counted), event_submit() sends it, event_discard() takes it back.
 */
#define event_reserve(ring, tag)					\
({									\
	struct tag *__room = bpf_ringbuf_reserve(&(ring), sizeof(struct tag), 0);	\
	if (__room)							\
		__builtin_memset(__room, 0, sizeof(*__room));		\
	else								\
		COUNT(ring##_lost);					\
	__room;								\
})
#define event_submit(event) bpf_ringbuf_submit(event, BPF_RB_NO_WAKEUP)
#define event_discard(event) bpf_ringbuf_discard(event, BPF_RB_NO_WAKEUP)

/* The task that a record is about; what most records begin with. */
#define TASK_FIELDS							\
	pid_t pid;							\
	thread_t tid;							\
	uid_t uid;							\
	comm_t comm[16]
#define EVENT_HEAD							\
	boot_ns_t time;							\
	TASK_FIELDS

/*
 * event_head() fills these in: with now, and the task that runs, whose numbers
 * are `id`: bpf_get_current_pid_tgid(). event_thread() is for records that have
 * no uid.
 */
#define event_thread(event, id)						\
do {									\
	(event)->time = bpf_ktime_get_boot_ns();			\
	(event)->pid = (id) >> 32;					\
	(event)->tid = (id);						\
	bpf_get_current_comm((event)->comm, sizeof((event)->comm));	\
} while (0)
#define event_head(event, id)						\
do {									\
	event_thread(event, id);					\
	(event)->uid = bpf_get_current_uid_gid();			\
} while (0)

/* Sends the first `size` bytes of a record that was built elsewhere. */
#define event_output(ring, event, size)					\
do {									\
	if (bpf_ringbuf_output(&(ring), event, size, BPF_RB_NO_WAKEUP))	\
		COUNT(ring##_lost);					\
} while (0)

/*
 * SCRATCH(map, record, slots): room to build records in, for those whose
 * length is not fixed. It starts as zeros and is not cleared between records:
 * set every member each time, and send no byte behind what was written.
 *
 * Each program that uses it has a slot of its own, which is one per CPU. The
 * kernel does not start a program again on a CPU where it is under way, but it
 * may start another: programs at system calls can be preempted since 7.2.
 */
#define SCRATCH(map, record, slots)					\
	struct {							\
		__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);		\
		__uint(max_entries, slots);				\
		__type(key, __u32);					\
		__type(value, record);					\
	} map SEC(".maps")

#define scratch(map, slot)						\
({									\
	__u32 __slot = slot;						\
	bpf_map_lookup_elem(&(map), &__slot);				\
})

#endif
