// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * TCP segments that are sent again. Timers and acknowledgements cause that, in
 * interrupts: nothing here is about the task that happens to run.
 */
#include "events.h"
#include "tcp.h"
#include <bpf/bpf_tracing.h>

#define TIMER_LOSS_PROBE 5	/* icsk_pending */
#define CA_RECOVERY 3		/* icsk_ca_state: this and above resend what is known to be lost */

enum kind {
	RETRANSMIT,
	LOSS_PROBE,
	SYN_ACK,
};

struct event {
	boot_ns_t time;
	enum kind kind;
	TCP_ENDS;
	enum tcp_state state;
	__u32 seq;
	bytes_t size;
};

EVENT_RING(events, event);

static __always_inline int sent_again(const struct sock *sk, const struct sk_buff *skb, enum kind kind)
{
	const struct tcp_skb_cb *cb = (const void *)&skb->cb;
	struct event *event = tcp_event_reserve(events, event, sk);

	if (!event)
		return 0;
	event->time = bpf_ktime_get_boot_ns();
	event->kind = kind;
	event->state = tcp_state(sk);
	event->seq = BPF_CORE_READ(cb, seq);
	event->size = BPF_CORE_READ(cb, end_seq) - event->seq;
	event_submit(event);
	return 0;
}

/*
 * A loss probe that has nothing new to send sends its last segment again. Its
 * timer is still noted as pending then, as it may be when acknowledgements
 * begin a recovery, which the congestion state tells.
 */
static __always_inline enum kind reason(const struct sock *sk)
{
	const struct inet_connection_sock *icsk = (const void *)sk;

	return BPF_CORE_READ(icsk, icsk_pending) == TIMER_LOSS_PROBE &&
	       BPF_CORE_READ_BITFIELD_PROBED(icsk, icsk_ca_state) < CA_RECOVERY ? LOSS_PROBE : RETRANSMIT;
}

/*
 * Failures are reported as well, with an error, since "tcp: trace retransmit
 * failures in tcp_retransmit_skb" (6.17), which gave the record a name of its own.
 */
SEC("tp_btf/tcp_retransmit_skb")
int BPF_PROG(retransmit__tp_btf, const struct sock *sk, const struct sk_buff *skb)
{
	if (bpf_core_type_exists(struct trace_event_raw_tcp_retransmit_skb) && (int)ctx[2])
		return 0;
	return sent_again(sk, skb, reason(sk));
}

SEC("tp_btf/tcp_retransmit_synack")
int BPF_PROG(synack__tp_btf, const struct sock *sk, const struct sock *request)
{
	/* A request begins as a socket does, and has its port where the socket has its number. */
	struct event *event = event_reserve(events, event);

	if (!event)
		return 0;
	event->time = bpf_ktime_get_boot_ns();
	event->kind = SYN_ACK;
	event->ip = sock_addresses(request, event->saddr, event->daddr);
	event->lport = sock_local_port(request);
	event->dport = sock_remote_port(request);
	event->state = tcp_state(request);
	event->seq = BPF_CORE_READ((const struct tcp_request_sock *)request, snt_isn);
	event->size = 1;
	if (event->ip && (!filter_family || event->ip == filter_family))
		event_submit(event);
	else
		event_discard(event);
	return 0;
}

/* Probes that send a new segment, which no tracepoint tells: one at a time, and only what the other side has room for. */
static __always_inline int loss_probe(const struct sock *sk)
{
	const struct sk_buff_head *unsent = &((const struct sock___tcp *)sk)->sk_write_queue;
	const struct sk_buff *next = BPF_CORE_READ(unsent, next);
	const struct tcp_sock *tcp = (const void *)sk;
	const struct tcp_skb_cb *cb = (const void *)&next->cb;
	__u32 end;

	/* A list ends where it begins. */
	if ((const void *)next == unsent || BPF_CORE_READ(tcp, tlp_high_seq))
		return 0;
	end = BPF_CORE_READ(cb, end_seq);
	if (BPF_CORE_READ(next, len) > BPF_CORE_READ(tcp, mss_cache))
		end = BPF_CORE_READ(cb, seq) + BPF_CORE_READ(tcp, mss_cache);
	if ((__s32)(end - BPF_CORE_READ(tcp, snd_una) - BPF_CORE_READ(tcp, snd_wnd)) > 0)
		return 0;
	return sent_again(sk, next, LOSS_PROBE);
}

SEC("fentry/tcp_send_loss_probe")
int BPF_PROG(loss_probe__fentry, struct sock *sk)
{
	return loss_probe(sk);
}

SEC("kprobe/tcp_send_loss_probe")
int BPF_KPROBE(loss_probe__kprobe, struct sock *sk)
{
	return loss_probe(sk);
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
