// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* The windows and buffers of TCP connections, each time that a segment comes. */
#include "events.h"
#include "tcp.h"
#include <bpf/bpf_tracing.h>

#define INFINITE_SSTHRESH 0x7fffffff	/* before anything was lost */

const volatile port_t filter_lports[FILTER_PORTS] = {};
const volatile port_t filter_dports[FILTER_PORTS] = {};

struct event {
	boot_ns_t time;
	addr_t skaddr;
	TCP_ENDS;
	count_t cwnd;			/* segments */
	maybe_count_t ssthresh;		/* segments; absent while there is no limit */
	count_t in_flight;		/* segments that were sent, and that nothing is known of */
	bytes_t snd_wnd;		/* that the other side has room for */
	bytes_t rcv_wnd;		/* that the other side was told */
	bytes_t sndbuf;
	bytes_t wmem_queued;
	ns_t srtt;
};

EVENT_RING(events, event);

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct sock___buffers {
	int sk_sndbuf;
	int sk_wmem_queued;
};

struct tcp_sock___windows {
	__u32 snd_cwnd;
	__u32 snd_ssthresh;
	__u32 snd_wnd;
	__u32 rcv_wnd;
	__u32 srtt_us;
	__u32 packets_out;
	__u32 sacked_out;
	__u32 lost_out;
	__u32 retrans_out;
};

#pragma clang attribute pop

/* At the beginning of tcp_rcv_established(): what the segment will change is not changed yet. */
SEC("tp_btf/tcp_probe")
int BPF_PROG(segment__tp_btf, struct sock *sk)
{
	const struct tcp_sock___windows *tcp = (const void *)sk;
	const struct sock___buffers *buffers = (const void *)sk;
	struct event *event;
	__u32 ssthresh;

	if (!wanted_port(filter_lports, tcp_local_port(sk)) || !wanted_port(filter_dports, sock_remote_port(sk)))
		return 0;
	event = tcp_event_reserve(events, event, sk);
	if (!event)
		return 0;
	event->time = bpf_ktime_get_boot_ns();
	event->skaddr = (__u64)sk;
	event->cwnd = BPF_CORE_READ(tcp, snd_cwnd);
	ssthresh = BPF_CORE_READ(tcp, snd_ssthresh);
	event->ssthresh = ssthresh < INFINITE_SSTHRESH ? ssthresh : 0;
	/* Both are counted again while they are sent again: 32 bits, as the kernel has them. */
	event->in_flight = BPF_CORE_READ(tcp, packets_out) + BPF_CORE_READ(tcp, retrans_out) -
			   BPF_CORE_READ(tcp, sacked_out) - BPF_CORE_READ(tcp, lost_out);
	event->snd_wnd = BPF_CORE_READ(tcp, snd_wnd);
	event->rcv_wnd = BPF_CORE_READ(tcp, rcv_wnd);
	event->sndbuf = BPF_CORE_READ(buffers, sk_sndbuf);
	event->wmem_queued = BPF_CORE_READ(buffers, sk_wmem_queued);
	/* In eighths of microseconds. */
	event->srtt = BPF_CORE_READ(tcp, srtt_us) * 125ULL;
	event_submit(event);
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
