// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Questions to name servers and their answers, where sockets send them and get
 * them: there the sender is the current task, a packet is whole and comes by
 * once, whatever interfaces it goes through.
 */
#include "events.h"
#include "other-task.h"
#include "owner.h"
#include "skb.h"
#include "tcp.h"

#define UDP_HEADER 8
#define DNS_HEADER 12
#define SHORT_MESSAGE 128
#define USUAL_MESSAGE 512
#define MAX_MESSAGE 4096
#define MAX_PIECES 17		/* of what TCP sends at once: 64 KiB and more */
/* Copies of a packet that several sockets get come right after each other. */
#define COPIES_WITHIN_NS 10000000
#define TCP_SYN 2		/* a bit of the flags */

const volatile port_t filter_ports[FILTER_PORTS] = { 53, 5353 };

enum qr {
	Q,
	R,
};

enum transport {
	UDP,
	TCP,
};

#define ROW								\
	boot_ns_t time;							\
	maybe_pid_t pid;						\
	maybe_comm_t comm[16];						\
	namespace_t netns;						\
	enum transport transport;					\
	ip_version_t ip;						\
	ip_t saddr[16];							\
	port_t sport;							\
	ip_t daddr[16];							\
	port_t dport;							\
	enum qr qr;							\
	__u16 id;							\
	mark_t tc;							\
	mark_t rd;							\
	mark_t ra;							\
	__u16 answers;		/* as many as the header says */	\
	maybe_ns_t latency;						\
	mark_t unanswered;						\
	mark_t truncated	/* `data` is only the beginning */

struct row {
	ROW;
};

/*
 * What comes over TCP is told as it comes, in pieces, of which user space makes
 * messages: these begin and end anywhere in a segment. Before the bytes in
 * `data` is where they are.
 */
struct piece {
	__u32 sequence;		/* of the first byte */
	__u32 begins;		/* the connection */
};

struct event {
	ROW;
	data_t data[sizeof(__u32) + sizeof(struct piece) + MAX_MESSAGE];
};

EVENT_RING(events, event);

struct exchange_key {
	ip_t client[16];
	ip_t server[16];
	port_t client_port;
	port_t server_port;
	__u32 id;
};

/* When and where a message was seen last. */
struct sighting {
	__u64 time;
	__u64 head;		/* of the packet and its copies */
	bool sent;
};

struct exchange {
	struct sighting query;	/* all 0: before the tracing */
	struct sighting answer;
	struct owner owner;
	namespace_t netns;		/* of the owner */
};

COUNTED_MAP(exchanges, BPF_MAP_TYPE_LRU_HASH, struct exchange_key, struct exchange, 16384);

struct connection {
	struct owner client;
	struct owner server;
	namespace_t netns;
	__u32 syn;		/* sequence number of what began it */
	__u32 told[2];		/* up to where, to the client and to the server */
	bool has_told[2];
};

COUNTED_MAP(connections, BPF_MAP_TYPE_LRU_HASH, struct exchange_key, struct connection, 4096);

/* No helper for the current task is there for programs of cgroups. */
static __always_inline void owner_is_sender(struct owner *owner)
{
	struct task_struct *task = (void *)bpf_get_current_task();

	owner->pid = BPF_CORE_READ(task, tgid);
	owner->wanted = wanted_other_task(task);
	BPF_CORE_READ_STR_INTO(&owner->comm, task, comm);
}

/* Fills in the ends, and returns where the header of that protocol is, or 0. */
static __always_inline __u32 read_ip(void *ctx, struct row *row, __u8 protocol)
{
	__u8 header[40] = {}, next[2];
	__u32 offset = 40;

	if (bpf_skb_load_bytes(ctx, 0, header, 20))
		return 0;
	row->ip = header[0] >> 4;
	if (filter_family && row->ip != filter_family)
		return 0;
	if (row->ip == 4) {
		ip_from_v4(row->saddr, *(__be32 *)(header + 12));
		ip_from_v4(row->daddr, *(__be32 *)(header + 16));
		return header[9] == protocol ? (header[0] & 0xf) * 4 : 0;
	}
	if (row->ip != 6 || bpf_skb_load_bytes(ctx, 0, header, sizeof(header)))
		return 0;
	__builtin_memcpy(row->saddr, header + 8, 16);
	__builtin_memcpy(row->daddr, header + 24, 16);
	next[0] = header[6];
#pragma unroll
	for (int i = 0; i < 3; i++) {
		if (next[0] != IPV6_HOP_BY_HOP && next[0] != IPV6_ROUTING && next[0] != IPV6_OPTIONS)
			break;
		if (bpf_skb_load_bytes(ctx, offset, next, sizeof(next)))
			return 0;
		offset += (next[1] + 1) * 8;
	}
	return next[0] == protocol ? offset : 0;
}

/*
 * What is sent is new. What is received was sent by this host, perhaps from
 * another namespace, or is for several sockets, or is new, too.
 */
static __always_inline bool shown_before(const struct sighting *last, const struct sighting *seen)
{
	if (seen->sent || !last->time)
		return false;
	return last->sent || (last->head == seen->head && seen->time - last->time < COPIES_WITHIN_NS);
}

/* Asked one after the other, and right before it is used: old verifiers learn nothing from a range, and forget. */
static __always_inline __u64 at_most(__u64 length, const __u32 room)
{
	barrier_var(length);
	if (length < DNS_HEADER)
		length = DNS_HEADER;
	barrier_var(length);
	if (length > room)
		length = room;
	return length;
}

/* A record's room is a constant for the kernel. */
static __always_inline void send(void *ctx, const struct row *row, __u32 at, __u32 length, const __u32 room)
{
	__u64 kept;
	struct event *event = bpf_ringbuf_reserve(&events, offsetof(struct event, data) + sizeof(length) + room, 0);

	if (!event) {
		COUNT(events_lost);
		return;
	}
	__builtin_memcpy(event, row, offsetof(struct event, data));
	kept = at_most(length, room);
	if (bpf_skb_load_bytes(ctx, at, event->data + sizeof(length), kept))
		kept = 0;
	length = kept;
	__builtin_memcpy(event->data, &length, sizeof(length));
	event_submit(event);
}

static __always_inline int message(void *ctx, bool sent)
{
	const struct sk_buff___packet *skb = ctx;
	struct exchange *known, exchange = {};
	struct exchange_key key = {};
	struct sighting seen = {};
	struct row row = {};
	__be16 udp[4], dns[6];
	__u32 at, length;
	__u16 flags;

	at = read_ip(ctx, &row, IPPROTO_UDP);
	if (!at || bpf_skb_load_bytes(ctx, at, udp, sizeof(udp)))
		return 1;
	row.sport = bpf_ntohs(udp[0]);
	row.dport = bpf_ntohs(udp[1]);
	if (!wanted_port(filter_ports, row.sport) && !wanted_port(filter_ports, row.dport))
		return 1;
	at += UDP_HEADER;
	length = bpf_ntohs(udp[2]);
	if (length < UDP_HEADER + DNS_HEADER || bpf_skb_load_bytes(ctx, at, dns, sizeof(dns)))
		return 1;
	length -= UDP_HEADER;
	flags = bpf_ntohs(dns[1]);
	row.qr = flags & 0x8000 ? R : Q;
	row.id = key.id = bpf_ntohs(dns[0]);
	row.tc = flags & 0x200;
	row.rd = flags & 0x100;
	row.ra = flags & 0x80;
	row.answers = bpf_ntohs(dns[3]);
	row.truncated = length > MAX_MESSAGE;
	row.time = seen.time = bpf_ktime_get_boot_ns();
	seen.head = (__u64)BPF_CORE_READ(skb, head);
	seen.sent = sent;
	__builtin_memcpy(row.qr == R ? key.server : key.client, row.saddr, 16);
	__builtin_memcpy(row.qr == R ? key.client : key.server, row.daddr, 16);
	key.client_port = row.qr == R ? row.dport : row.sport;
	key.server_port = row.qr == R ? row.sport : row.dport;

	known = bpf_map_lookup_elem(&exchanges, &key);
	if (known && shown_before(row.qr == R ? &known->answer : &known->query, &seen))
		return 1;
	if (row.qr == R && known) {
		exchange = *known;
		known->answer = seen;
		if (exchange.query.time)
			row.latency = seen.time - exchange.query.time;
	}
	if (sent && (row.qr == Q || !exchange.owner.pid))
		owner_is_sender(&exchange.owner);
	if (row.qr == Q || !known)
		exchange.netns = drop_netns(BPF_CORE_READ(skb, sk), ctx);
	row.netns = exchange.netns;
	if (row.qr == Q)
		exchange.query = seen;
	else
		exchange.answer = seen;
	if ((row.qr == Q || !known) && bpf_map_update_elem(&exchanges, &key, &exchange, BPF_ANY))
		COUNT_DROPPED(exchanges);
	if (!wanted_owner(&exchange.owner) || !wanted_netns(row.netns))
		return 1;
	copy_owner(&row, &exchange.owner);
	if (length <= SHORT_MESSAGE)
		send(ctx, &row, at, length, SHORT_MESSAGE);
	else if (length <= USUAL_MESSAGE)
		send(ctx, &row, at, length, USUAL_MESSAGE);
	else
		send(ctx, &row, at, length, MAX_MESSAGE);
	return 1;
}

static __always_inline void send_piece(void *ctx, const struct row *row, __u32 at, __u32 length,
				       const struct piece *piece, const __u32 room)
{
	const __u32 before = sizeof(length) + sizeof(*piece);
	struct event *event = bpf_ringbuf_reserve(&events, offsetof(struct event, data) + before + room, 0);
	__u64 kept;

	if (!event) {
		COUNT(events_lost);
		return;
	}
	__builtin_memcpy(event, row, offsetof(struct event, data));
	__builtin_memcpy(event->data + sizeof(length), piece, sizeof(*piece));
	/* From 1 to the room, a power of 2, for what learns nothing from a comparison with 0. */
	kept = length > room ? room : length;
	barrier_var(kept);
	kept = ((kept - 1) & (room - 1)) + 1;
	/* Nothing is there where a connection begins. */
	if (bpf_skb_load_bytes(ctx, at, event->data + before, kept))
		kept = 0;
	length = kept + sizeof(*piece);
	__builtin_memcpy(event->data, &length, sizeof(length));
	event_submit(event);
}

/* The connection of a segment, with what the segment says of it; NULL where there is no room. */
static __always_inline struct connection *connection_of(void *ctx, const struct exchange_key *key, __u32 sequence,
							bool begins, bool sent, bool to_server)
{
	struct connection *known = bpf_map_lookup_elem(&connections, key), fresh = {};

	if (!known || (begins && to_server && known->syn != sequence)) {
		fresh.syn = sequence;
		fresh.netns = drop_netns(BPF_CORE_READ((const struct sk_buff___packet *)ctx, sk), ctx);
		if (bpf_map_update_elem(&connections, key, &fresh, BPF_ANY))
			COUNT_DROPPED(connections);
		known = bpf_map_lookup_elem(&connections, key);
		if (!known)
			return NULL;
	}
	/* Who accepts a connection is known when it sends something; interrupts answer for it until then. */
	if (sent && to_server && !known->client.pid)
		owner_is_sender(&known->client);
	else if (sent && !to_server && !begins && !known->server.pid)
		owner_is_sender(&known->server);
	return known;
}

static __always_inline int segment(void *ctx, bool sent)
{
	struct exchange_key key = {};
	struct connection *known;
	struct row row = { .transport = TCP };
	struct piece piece = {};
	__u32 at, length, header, end;
	const struct owner *owner;
	__u8 tcp[20];
	bool to_server;

	at = read_ip(ctx, &row, IPPROTO_TCP);
	if (!at || bpf_skb_load_bytes(ctx, at, tcp, sizeof(tcp)))
		return 1;
	row.sport = bpf_ntohs(*(__be16 *)tcp);
	row.dport = bpf_ntohs(*(__be16 *)(tcp + 2));
	to_server = wanted_port(filter_ports, row.dport);
	if (!to_server && !wanted_port(filter_ports, row.sport))
		return 1;
	header = (tcp[12] >> 4) * 4;
	length = BPF_CORE_READ((const struct sk_buff___packet *)ctx, len);
	if (header < sizeof(tcp) || length < at + header)
		return 1;
	length -= at + header;
	at += header;
	piece.begins = tcp[13] & TCP_SYN;
	if (!length && !piece.begins)
		return 1;
	piece.sequence = bpf_ntohl(*(__be32 *)(tcp + 4));
	__builtin_memcpy(to_server ? key.client : key.server, row.saddr, 16);
	__builtin_memcpy(to_server ? key.server : key.client, row.daddr, 16);
	key.client_port = to_server ? row.sport : row.dport;
	key.server_port = to_server ? row.dport : row.sport;
	known = connection_of(ctx, &key, piece.sequence, piece.begins, sent, to_server);
	if (!known)
		return 1;
	if (piece.begins)
		piece.sequence++;
	/* What was told when it was sent comes again when it is received, and when it is sent again. */
	end = piece.sequence + length;
	if (known->has_told[to_server] && (__s32)(end - known->told[to_server]) <= 0)
		return 1;
	known->told[to_server] = end;
	known->has_told[to_server] = true;
	owner = known->client.pid ? &known->client : &known->server;
	row.netns = known->netns;
	row.time = bpf_ktime_get_boot_ns();
	if (!wanted_owner(owner) || !wanted_netns(row.netns))
		return 1;
	copy_owner(&row, owner);
	for (int i = 0; i < MAX_PIECES; i++) {
		if (length <= SHORT_MESSAGE)
			send_piece(ctx, &row, at, length, &piece, SHORT_MESSAGE);
		else if (length <= USUAL_MESSAGE)
			send_piece(ctx, &row, at, length, &piece, USUAL_MESSAGE);
		else
			send_piece(ctx, &row, at, length, &piece, MAX_MESSAGE);
		if (length <= MAX_MESSAGE)
			break;
		at += MAX_MESSAGE;
		length -= MAX_MESSAGE;
		piece.sequence += MAX_MESSAGE;
		piece.begins = false;
	}
	return 1;
}

SEC("cgroup_skb/egress")
int sent__cgroup(void *ctx)
{
	return message(ctx, true);
}

SEC("cgroup_skb/ingress")
int received__cgroup(void *ctx)
{
	return message(ctx, false);
}

/* Apart, as what a program may keep in its stack is not enough for both. */
SEC("cgroup_skb/egress")
int sent_tcp__cgroup(void *ctx)
{
	return segment(ctx, true);
}

SEC("cgroup_skb/ingress")
int received_tcp__cgroup(void *ctx)
{
	return segment(ctx, false);
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
