/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Whose packets are. What a process sends is its own; what interrupts send and
 * receive belongs to whom was last seen at that end: who sent from it, named it
 * by bind(2) or connect(2), or had a socket open there at the start.
 *
 * The program sockets__iter is run once, behind the others.
 */
#ifndef KSCOPE_PACKET_OWNER_H
#define KSCOPE_PACKET_OWNER_H

#include "events.h"
#include "other-task.h"
#include "owner.h"
#include "skb.h"
#include "syscall-exit.h"
#include "tcp.h"

/* An end of what is exchanged; without a peer, of a socket that hears everybody. */
struct end {
	namespace_t netns;
	__u16 protocol;
	port_t port;
	ip_t address[16];
	ip_t peer[16];
	port_t peer_port;
	__u16 unused;
};

COUNTED_MAP(owners, BPF_MAP_TYPE_LRU_HASH, struct end, struct owner, 65536);

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct bpf_iter__task_file {
	struct task_struct *task;
	struct file *file;
};

#pragma clang attribute pop

/* What a socket hears: of everybody at its port, or of its peer. */
static __always_inline bool end_of(struct end *end, const struct sock *sk)
{
	if (!sock_addresses(sk, end->address, end->peer))
		return false;
	end->netns = drop_netns(sk, NULL);
	end->protocol = BPF_CORE_READ(sk, sk_protocol);
	end->port = sock_local_port(sk);
	end->peer_port = sock_remote_port(sk);
	if (!end->peer_port)
		__builtin_memset(end->peer, 0, sizeof(end->peer));
	return end->port;
}

static __always_inline void keep_owner(const struct end *end, const struct owner *owner, __u64 flags)
{
	if (update_error(&owners, end, owner, flags) && flags == BPF_ANY)
		COUNT_DROPPED(owners);
}

/* Those that were there before. */
SEC("iter/task_file")
int sockets__iter(struct bpf_iter__task_file *ctx)
{
	struct task_struct *task = ctx->task;
	struct file *file = ctx->file;
	struct owner owner = {};
	struct end end = {};
	struct socket *socket;

	if (!task || !file || task->pid != task->tgid || file_type(file) != S_IFSOCK)
		return 0;
	socket = BPF_CORE_READ((struct file___tcp *)file, private_data);
	if (!end_of(&end, BPF_CORE_READ(socket, sk)))
		return 0;
	owner.pid = task->tgid;
	owner.wanted = wanted_other_task(task);
	BPF_CORE_READ_STR_INTO(&owner.comm, task, comm);
	keep_owner(&end, &owner, BPF_NOEXIST);
	return 0;
}

/* A connection that does not wait is under way when its call returns with an error. */
static __always_inline int named(void)
{
	struct sock *sk = fd_socket((int)syscall_arg1(current_user_regs()));
	struct owner owner = {};
	struct end end = {};

	if (!sk || !end_of(&end, sk))
		return 0;
	owner_is_current(&owner);
	keep_owner(&end, &owner, BPF_ANY);
	return 0;
}

SEC("tp/syscalls/sys_exit_bind")
int bind__tp(struct syscall_trace_exit *ctx)
{
	return named();
}

SEC("tp/syscalls/sys_exit_connect")
int connect__tp(struct syscall_trace_exit *ctx)
{
	return named();
}

/* Of a packet that the current task `sends`, or nobody. `end` is the one that is here, and is not left as it was. */
static __always_inline void owner_of(struct owner *owner, struct end *end, bool sends)
{
	struct owner *known = bpf_map_lookup_elem(&owners, end);

	if (sends) {
		owner_is_current(owner);
		if (known)
			*known = *owner;
		else
			keep_owner(end, owner, BPF_ANY);
		return;
	}
	if (!known) {
		__builtin_memset(end->peer, 0, sizeof(end->peer));
		end->peer_port = 0;
		known = bpf_map_lookup_elem(&owners, end);
	}
	if (!known) {
		bool v4 = ip_is_mapped(end->address);

		__builtin_memset(end->address, 0, sizeof(end->address));
		/* IPv4 is also heard by sockets of IPv6. */
		if (v4) {
			ip_from_v4(end->address, 0);
			known = bpf_map_lookup_elem(&owners, end);
			__builtin_memset(end->address, 0, sizeof(end->address));
		}
		if (!known)
			known = bpf_map_lookup_elem(&owners, end);
	}
	if (known)
		*owner = *known;
}

#endif
