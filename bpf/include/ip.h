/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* The two ends of a socket as ip_t and port_t. */
#ifndef KSCOPE_IP_H
#define KSCOPE_IP_H

#include "core.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_endian.h>

static __always_inline bool ip_is_mapped(const ip_t address[16])
{
	for (int i = 0; i < 10; i++)
		if (address[i])
			return false;
	return address[10] == 0xff && address[11] == 0xff;
}

static __always_inline void ip_from_v4(ip_t address[16], __be32 v4)
{
	__builtin_memset(address, 0, 10);
	address[10] = 0xff;
	address[11] = 0xff;
	__builtin_memcpy(address + 12, &v4, 4);
}

/*
 * Reads the addresses of an internet socket and returns the version that is
 * spoken: an IPv6 socket with IPv4-mapped addresses speaks 4, also one that is
 * only bound to such an address. Returns 0 for sockets of another family.
 */
static __always_inline __u8 sock_addresses(const struct sock *sk, ip_t local[16], ip_t remote[16])
{
	__u16 family = BPF_CORE_READ(sk, __sk_common.skc_family);

	if (family == AF_INET) {
		ip_from_v4(local, BPF_CORE_READ(sk, __sk_common.skc_rcv_saddr));
		ip_from_v4(remote, BPF_CORE_READ(sk, __sk_common.skc_daddr));
		return 4;
	}
	/* A kernel may be built without IPv6. */
	if (family != AF_INET6 || !bpf_core_field_exists(sk->__sk_common.skc_v6_daddr))
		return 0;
	bpf_core_read(local, 16, &sk->__sk_common.skc_v6_rcv_saddr);
	bpf_core_read(remote, 16, &sk->__sk_common.skc_v6_daddr);
	if (ip_is_mapped(remote))
		return 4;
	if (!ip_is_mapped(local))
		return 6;
	ip_from_v4(remote, 0);
	return 4;
}

static __always_inline port_t sock_local_port(const struct sock *sk)
{
	return BPF_CORE_READ(sk, __sk_common.skc_num);
}

static __always_inline port_t sock_remote_port(const struct sock *sk)
{
	return bpf_ntohs(BPF_CORE_READ(sk, __sk_common.skc_dport));
}

#endif
