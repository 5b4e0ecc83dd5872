// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* Events of the RDMA connection manager (rdma_cm), for programs as for the kernel's own users. */
#include "events.h"
#include "ip.h"

/* The record of the tracepoint: its types are those of a module. The addresses are the first bytes of a sockaddr. */
struct cm_event_handler {
	__u64 common;
	__u32 cm_id;
	__u32 tos;
	unsigned long event;
	int status;
	__u8 source[28];
	__u8 destination[28];
};

struct address {
	__u16 family;
	__be16 port;
	__be32 v4;
	__u8 v6[16];
};

enum rdma_cm_event_type {
	ADDR_RESOLVED,
	ADDR_ERROR,
	ROUTE_RESOLVED,
	ROUTE_ERROR,
	CONNECT_REQUEST,
	CONNECT_RESPONSE,
	CONNECT_ERROR,
	UNREACHABLE,
	REJECTED,
	ESTABLISHED_EVENT,
	DISCONNECTED,
	DEVICE_REMOVAL,
	MULTICAST_JOIN,
	MULTICAST_ERROR,
	ADDR_CHANGE,
	TIMEWAIT_EXIT,
};

const volatile __u8 filter_family = 0;

struct event {
	boot_ns_t time;
	__u32 id;
	enum rdma_cm_event_type event;
	__s32 cm_status;
	errno_t error;
	ip_version_t ip;
	maybe_ip_t saddr[16];
	port_t lport;
	maybe_ip_t daddr[16];
	port_t dport;
};

EVENT_RING(events, event);

/* The version of IP; 0 for an address of InfiniBand itself. */
static __always_inline __u8 read_address(const __u8 bytes[28], ip_t address[16], port_t *port)
{
	struct address at;

	__builtin_memcpy(&at, bytes, sizeof(at));
	if (at.family != AF_INET && at.family != AF_INET6)
		return 0;
	*port = bpf_ntohs(at.port);
	if (at.family == AF_INET) {
		if (at.v4)
			ip_from_v4(address, at.v4);
		return 4;
	}
	__builtin_memcpy(address, at.v6, 16);
	return ip_is_mapped(address) ? 4 : 6;
}

SEC("tp/rdma_cma/cm_event_handler")
int cm_event__tp(struct cm_event_handler *ctx)
{
	struct event *event = event_reserve(events, event);
	ip_version_t ip;

	if (!event)
		return 0;
	ip = read_address(ctx->source, event->saddr, &event->lport);
	event->ip = read_address(ctx->destination, event->daddr, &event->dport) ?: ip;
	if (filter_family && event->ip != filter_family) {
		event_discard(event);
		return 0;
	}
	event->time = bpf_ktime_get_boot_ns();
	event->id = ctx->cm_id;
	event->event = ctx->event;
	event->cm_status = ctx->status;
	event->error = ctx->status < 0 ? -ctx->status : 0;
	event_submit(event);
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
