// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* Addresses and ports that processes bind sockets to. */
#include "compat.h"
#include "events.h"
#include "filter.h"
#include "syscall-exit.h"
#include "tcp.h"
#include <bpf/bpf_tracing.h>

const volatile port_t filter_lports[FILTER_PORTS] = {};
const volatile bool failed_too = false;
/* Bits of inet_flags, by the names of an enumeration without a name of its own: user space sets them. */
const volatile __u32 freebind_bit = 11;
const volatile __u32 transparent_bit = 15;
const volatile __u32 no_port_bit = 18;

/* Bits of the field options. */
enum {
	FREEBIND = 1,
	TRANSPARENT = 2,
	BIND_ADDRESS_NO_PORT = 4,
	REUSEADDR = 8,
	REUSEPORT = 16,
};

struct event {
	EVENT_HEAD;
	errno_t error;
	ip_version_t ip;
	__u16 protocol;
	__u32 options;
	__u32 ifindex;	/* of the interface that it is bound to; 0: any */
	ip_t addr[16];
	port_t port;
	cgroup_id_t cgroup;
};

EVENT_RING(events, event);

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct sock_common___bound {
	unsigned char skc_reuse : 4;
	unsigned char skc_reuseport : 1;
	int skc_bound_dev_if;
};

struct sock___bound {
	struct sock_common___bound __sk_common;
	__u16 sk_protocol;
};

struct inet_sock___flags {
	unsigned long inet_flags;
};

/* Before c274af224269 ("inet: introduce inet->inet_flags", 6.6) */
struct inet_sock___bits {
	__u8 freebind : 1;
	__u8 transparent : 1;
	__u8 bind_address_no_port : 1;
};

#pragma clang attribute pop

static __always_inline __u8 inet_options(const struct sock *sk)
{
	const struct inet_sock___flags *flagged = (const void *)sk;
	const struct inet_sock___bits *bits = (const void *)sk;
	__u8 options = 0;

	if (bpf_core_field_exists(flagged->inet_flags)) {
		unsigned long flags = BPF_CORE_READ(flagged, inet_flags);

		if (flags & 1UL << freebind_bit)
			options |= FREEBIND;
		if (flags & 1UL << transparent_bit)
			options |= TRANSPARENT;
		if (flags & 1UL << no_port_bit)
			options |= BIND_ADDRESS_NO_PORT;
	} else {
		if (BPF_CORE_READ_BITFIELD_PROBED(bits, freebind))
			options |= FREEBIND;
		if (BPF_CORE_READ_BITFIELD_PROBED(bits, transparent))
			options |= TRANSPARENT;
		if (BPF_CORE_READ_BITFIELD_PROBED(bits, bind_address_no_port))
			options |= BIND_ADDRESS_NO_PORT;
	}
	return options;
}

/* What was asked for: the structure of bind(2). */
static __always_inline void requested(struct event *event, const void *address)
{
	__u16 family = 0;
	__be16 port = 0;
	__be32 v4 = 0;

	bpf_probe_read_user(&family, sizeof(family), address);
	bpf_probe_read_user(&port, sizeof(port), address + 2);
	event->port = bpf_ntohs(port);
	if (family == AF_INET6) {
		bpf_probe_read_user(event->addr, 16, address + 8);
	} else {
		bpf_probe_read_user(&v4, sizeof(v4), address + 4);
		ip_from_v4(event->addr, v4);
	}
	event->ip = ip_is_mapped(event->addr) ? 4 : 6;
}

SEC("tp/syscalls/sys_exit_bind")
int bind__tp(struct syscall_trace_exit *ctx)
{
	__u64 id = bpf_get_current_pid_tgid();
	long result = syscall_result(ctx);
	const struct sock___bound *bound;
	struct pt_regs *regs;
	struct event *event;
	ip_t nobody[16];
	struct sock *sk;

	if ((result < 0 && !failed_too) || !wanted_task(id))
		return 0;
	regs = current_user_regs();
	sk = fd_socket((int)syscall_arg1(regs));
	if (!sk)
		return 0;
	event = event_reserve(events, event);
	if (!event)
		return 0;
	bound = (const void *)sk;
	event->ip = sock_addresses(sk, event->addr, nobody);
	if (!event->ip)
		goto discard;
	event->port = sock_local_port(sk);
	/* A socket that could not be bound says nothing. */
	if (result < 0)
		requested(event, (const void *)syscall_arg2(regs));
	if ((filter_family && event->ip != filter_family) || !wanted_port(filter_lports, event->port))
		goto discard;
	event_head(event, id);
	event->error = result < 0 ? -result : 0;
	event->protocol = BPF_CORE_READ(bound, sk_protocol);
	event->options = inet_options(sk);
	if (BPF_CORE_READ_BITFIELD_PROBED(bound, __sk_common.skc_reuse))
		event->options |= REUSEADDR;
	if (BPF_CORE_READ_BITFIELD_PROBED(bound, __sk_common.skc_reuseport))
		event->options |= REUSEPORT;
	event->ifindex = BPF_CORE_READ(bound, __sk_common.skc_bound_dev_if);
	event->cgroup = bpf_get_current_cgroup_id();
	event_submit(event);
	return 0;
discard:
	event_discard(event);
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
