// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* Lines that people type into shells. */
#include "events.h"
#include "filter.h"
#include "text.h"
#include <bpf/bpf_tracing.h>

struct event {
	boot_ns_t time;
	pid_t pid;
	uid_t uid;
	comm_t comm[16];
	mark_t truncated;	/* not the whole line */
	cgroup_id_t cgroup;
	text_t command[960];
};

EVENT_RING(events, event);

SEC("uretprobe")
int BPF_KRETPROBE(line_read, const char *line)
{
	__u64 id = bpf_get_current_pid_tgid();
	struct event *event;
	bool cut = false;

	/* No line: the end of the input. */
	if (!line || !wanted_task(id))
		return 0;
	event = event_reserve(events, event);
	if (!event)
		return 0;
	event->time = bpf_ktime_get_boot_ns();
	event->pid = id >> 32;
	event->uid = bpf_get_current_uid_gid();
	bpf_get_current_comm(event->comm, sizeof(event->comm));
	event->cgroup = bpf_get_current_cgroup_id();
	read_user_text(event->command, sizeof(event->command), line, &cut);
	event->truncated = cut;
	event_submit(event);
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
