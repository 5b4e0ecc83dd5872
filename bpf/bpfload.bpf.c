// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* Who uses BPF: calls of bpf(2) that make, attach or change something. */
#include "core.h"
#include "compat.h"
#include "events.h"
#include "filter.h"
#include "syscall-exit.h"
#include <bpf/bpf_helpers.h>

/* enum bpf_cmd, which is part of the kernel's interface. */
enum {
	MAP_CREATE = 0,
	PROG_LOAD = 5,
	OBJ_PIN = 6,
	PROG_ATTACH = 8,
	PROG_DETACH = 9,
	RAW_TRACEPOINT_OPEN = 17,
	LINK_CREATE = 28,
	LINK_UPDATE = 29,
	LINK_DETACH = 34,
};

#define NO_TYPE (~0U)

const volatile bool failed_only = false;
const volatile bool all_commands = false;

struct event {
	EVENT_HEAD;
	__u32 cmd;
	__u32 code;		/* type of the map, program or attachment */
	__u32 size;		/* instructions of a program, entries of a map */
	maybe_text_t name[16];
	fd_t fd;
	errno_t error;
	cgroup_id_t cgroup;
};

EVENT_RING(events, event);

/* The parts of union bpf_attr that are read: what a map, a program and a link begin with. */
struct map_attr {
	__u32 type, key_size, value_size, max_entries, flags, inner_map_fd, numa_node;
	char name[16];
};

struct prog_attr {
	__u32 type, instructions;
	__u64 code, license;
	__u32 log_level, log_size;
	__u64 log;
	__u32 kernel_version, flags;
	char name[16];
};

struct link_attr {
	__u32 program, target, kind;
};

static __always_inline bool is_change(__u32 command)
{
	return command == MAP_CREATE || (command >= PROG_LOAD && command <= PROG_DETACH && command != 7) ||
	       command == RAW_TRACEPOINT_OPEN || command == LINK_CREATE || command == LINK_UPDATE ||
	       command == LINK_DETACH;
}

static __always_inline void describe(struct event *event, const void *attr)
{
	if (event->cmd == MAP_CREATE) {
		struct map_attr map = {};

		bpf_probe_read_user(&map, sizeof(map), attr);
		event->code = map.type;
		event->size = map.max_entries;
		__builtin_memcpy(event->name, map.name, sizeof(map.name));
	} else if (event->cmd == PROG_LOAD) {
		struct prog_attr prog = {};

		bpf_probe_read_user(&prog, sizeof(prog), attr);
		event->code = prog.type;
		event->size = prog.instructions;
		__builtin_memcpy(event->name, prog.name, sizeof(prog.name));
	} else if (event->cmd == LINK_CREATE || event->cmd == PROG_ATTACH) {
		struct link_attr link = {};

		/* Both have the kind of attachment in the third word. */
		bpf_probe_read_user(&link, sizeof(link), attr);
		event->code = link.kind;
	}
}

SEC("tp/syscalls/sys_exit_bpf")
int bpf__tp(struct syscall_trace_exit *ctx)
{
	__u64 id = bpf_get_current_pid_tgid();
	long ret = syscall_result(ctx);
	struct pt_regs *regs;
	struct event *event;
	__u32 command;

	if (!wanted_task(id) || (failed_only && ret >= 0))
		return 0;
	regs = current_user_regs();
	command = syscall_arg1(regs);
	if (!all_commands && !is_change(command))
		return 0;
	event = event_reserve(events, event);
	if (!event)
		return 0;
	event_head(event, id);
	event->cmd = command;
	event->code = NO_TYPE;
	describe(event, (const void *)syscall_arg2(regs));
	event->fd = ret >= 0 && (command == MAP_CREATE || command == PROG_LOAD || command == LINK_CREATE ||
				 command == RAW_TRACEPOINT_OPEN) ? ret : -1;
	event->error = ret < 0 ? -ret : 0;
	event->cgroup = bpf_get_current_cgroup_id();
	event_submit(event);
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
