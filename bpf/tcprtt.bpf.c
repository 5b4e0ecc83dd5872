// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* The smoothed round-trip time of TCP connections, each time that a segment comes. */
#include "hist.h"
#include "tcp.h"

const volatile ip_t filter_laddr[16] = {};	/* all zeros: off */
const volatile ip_t filter_raddr[16] = {};
const volatile port_t filter_lport = 0;
const volatile port_t filter_rport = 0;
const volatile bool by_laddr = false;
const volatile bool by_raddr = false;

struct key {
	ip_t laddr[16];
	ip_t raddr[16];
};

HISTOGRAMS(hists, struct key, 10240);

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct trace_event_raw_tcp_probe {
	__u8 saddr[28];		/* struct sockaddr_in or sockaddr_in6 */
	__u8 daddr[28];
	__u16 sport;
	__u16 dport;
	__u32 srtt;		/* microseconds */
};

#pragma clang attribute pop

/* The address in a struct sockaddr, whose family tells where it is. */
static __always_inline bool ip_from_sockaddr(ip_t ip[16], const void *address)
{
	__u16 family = 0;
	__be32 v4 = 0;

	bpf_probe_read_kernel(&family, sizeof(family), address);
	if (family == AF_INET) {
		bpf_probe_read_kernel(&v4, sizeof(v4), address + 4);
		ip_from_v4(ip, v4);
		return true;
	}
	return family == AF_INET6 && !bpf_probe_read_kernel(ip, 16, address + 8);
}

static __always_inline bool wanted_address(const volatile ip_t filter[16], const ip_t ip[16])
{
	__u8 any = 0, different = 0;

	for (int i = 0; i < 16; i++) {
		any |= filter[i];
		different |= filter[i] ^ ip[i];
	}
	return !any || !different;
}

SEC("tp/tcp/tcp_probe")
int probe__tp(struct trace_event_raw_tcp_probe *ctx)
{
	struct key ends, key = {};

	if ((filter_lport && ctx->sport != filter_lport) || (filter_rport && ctx->dport != filter_rport))
		return 0;
	if (!ip_from_sockaddr(ends.laddr, &ctx->saddr) || !ip_from_sockaddr(ends.raddr, &ctx->daddr))
		return 0;
	if (filter_family && filter_family != (ip_is_mapped(ends.raddr) ? 4 : 6))
		return 0;
	if (!wanted_address(filter_laddr, ends.laddr) || !wanted_address(filter_raddr, ends.raddr))
		return 0;
	if (by_laddr)
		__builtin_memcpy(key.laddr, ends.laddr, 16);
	if (by_raddr)
		__builtin_memcpy(key.raddr, ends.raddr, 16);
	hist_add(hists, &key, ctx->srtt * 1000ULL);
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
