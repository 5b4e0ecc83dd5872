// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* The first message of TLS connections that programs send: which server is asked for, by name. */
enum slot {
	WRITE,
	WRITEV,
	SENDTO,
	SENDMSG,
	SLOTS,
};

#include "calls.h"
#include "tcp.h"

/* Content and handshake types, and numbers of extensions, by RFC 8446. */
#define HANDSHAKE 22
#define CLIENT_HELLO 1
#define SERVER_NAME 0
#define ALPN 16
#define SUPPORTED_VERSIONS 43
#define ENCRYPTED_CLIENT_HELLO 0xfe0d

#define RECORD_HEAD 5
#define HANDSHAKE_HEAD 4
/* In front of the session: a version and 32 bytes. */
#define BEFORE_SESSION 34
#define EXTENSIONS 64
#define VERSIONS 16
#define PROTOCOLS 16

const volatile port_t filter_lports[FILTER_PORTS] = {};
const volatile port_t filter_dports[FILTER_PORTS] = {};

enum tls_version {
	SSL_3_0 = 0x300,
	TLS_1_0,
	TLS_1_1,
	TLS_1_2,
	TLS_1_3,
};

struct event {
	EVENT_HEAD;
	TCP_ENDS;
	enum tls_version version;	/* the highest that is offered */
	mark_t ech;
	mark_t truncated;
	maybe_text_t alpn[64];
	maybe_text_t name[256];
};

EVENT_RING(events, event);

struct hello {
	struct event event;
	__u64 at;	/* the next extension, in the memory of the program */
	__u64 end;	/* of the extensions */
	__u64 given;	/* the end of what was given to the call */
};

SCRATCH(hello_scratch, struct hello, SLOTS);

/* As programs of 64 bits have them. */
struct piece {
	__u64 base;
	__u64 length;
};

struct message {
	__u64 name;
	__u64 name_length;
	__u64 pieces;
};

static __always_inline __u32 byte_at(__u64 at)
{
	__u8 value = 0;

	bpf_probe_read_user(&value, sizeof(value), (void *)at);
	return value;
}

static __always_inline __u32 short_at(__u64 at)
{
	__be16 value = 0;

	bpf_probe_read_user(&value, sizeof(value), (void *)at);
	return bpf_ntohs(value);
}

/* A list with one entry: the name of a host. */
static __always_inline void take_name(struct event *event, __u64 at, __u32 length)
{
	__u32 size;

	if (length < 5 || byte_at(at + 2))
		return;
	size = short_at(at + 3);
	if (size > length - 5)
		return;
	if (size > sizeof(event->name) - 1)
		size = sizeof(event->name) - 1;
	/* Older verifiers want to see it here, where it may be kept in another register. */
	barrier_var(size);
	size &= sizeof(event->name) - 1;
	bpf_probe_read_user(event->name, size, (void *)(at + 5));
}

/* A list of names, each with its length in front: the lengths become commas. */
static __always_inline void take_alpn(struct event *event, __u64 at, __u32 length)
{
	__u32 size, next;

	if (length < 4)
		return;
	size = length - 3;
	next = byte_at(at + 2);
	if (size > sizeof(event->alpn) - 1)
		size = sizeof(event->alpn) - 1;
	barrier_var(size);
	size &= sizeof(event->alpn) - 1;
	bpf_probe_read_user(event->alpn, size, (void *)(at + 3));
	for (int i = 0; i < PROTOCOLS && next < size; i++) {
		__u32 place = next;

		/* The verifier of older kernels does not compare with what it does not know. */
		barrier_var(place);
		place &= sizeof(event->alpn) - 1;
		next = place + 1 + (__u8)event->alpn[place];
		event->alpn[place] = ',';
	}
}

static __always_inline void take_versions(struct event *event, __u64 at, __u32 length)
{
	for (__u32 i = 0; i < VERSIONS && 2 * i + 3 <= length; i++) {
		__u32 version = short_at(at + 1 + 2 * i);

		/* What is of no version is there to be ignored. */
		if (version >> 8 == 3 && version > event->version)
			event->version = version;
	}
}

/* Takes the next extension. Returns false at the end, and where there is none. */
__noinline int take_extension(__u32 slot)
{
	struct hello *hello = scratch(hello_scratch, slot);
	__u32 type, length;
	__u64 at;

	if (!hello)
		return false;
	at = hello->at + 4;
	if (at > hello->end)
		return false;
	type = short_at(at - 4);
	length = short_at(at - 2);
	if (length > hello->end - at)
		return false;
	if (at + length > hello->given) {
		hello->event.truncated = true;
		return false;
	}
	hello->at = at + length;
	if (type == SERVER_NAME)
		take_name(&hello->event, at, length);
	else if (type == ALPN)
		take_alpn(&hello->event, at, length);
	else if (type == SUPPORTED_VERSIONS)
		take_versions(&hello->event, at, length);
	else if (type == ENCRYPTED_CLIENT_HELLO)
		hello->event.ech = true;
	return true;
}

/* Whether all lengths up to the extensions fit into each other, as nothing else's would. */
static __always_inline bool find_extensions(struct hello *hello, __u64 base)
{
	__u32 record = short_at(base + 3), message = short_at(base + RECORD_HEAD + 2), size;
	__u64 at = base + RECORD_HEAD + HANDSHAKE_HEAD + BEFORE_SESSION;

	if (byte_at(base + RECORD_HEAD + 1) || message + HANDSHAKE_HEAD != record)
		return false;
	hello->end = base + RECORD_HEAD + record;
	hello->event.version = short_at(base + RECORD_HEAD + HANDSHAKE_HEAD);
	size = byte_at(at);
	if (hello->event.version >> 8 != 3 || size > 32)
		return false;
	at += 1 + size;
	size = short_at(at);	/* of the ciphers */
	if (size < 2 || size % 2)
		return false;
	at += 2 + size;
	size = byte_at(at);	/* of the ways to compress */
	if (!size)
		return false;
	at += 1 + size;
	hello->at = at;
	if (at == hello->end)
		return true;
	hello->at = at + 2;
	return at + 2 <= hello->given && hello->at + short_at(at) == hello->end;
}

static __always_inline int hello(__u32 slot, __u64 id, __u64 base, __u64 length)
{
	struct hello *hello = scratch(hello_scratch, slot);
	struct pt_regs *regs = current_user_regs();
	struct event *event;
	struct sock *sk;

	/* Those of 32 bits have their arguments elsewhere. */
	if (!hello || current_syscall(regs) & SYSCALL_COMPAT)
		return 0;
	event = &hello->event;
	sk = fd_socket(syscall_arg1(regs));
	if (!sk || BPF_CORE_READ(sk, sk_protocol) != IPPROTO_TCP)
		return 0;
	__builtin_memset(event, 0, sizeof(*event));
	if (!tcp_ends(event, sk) || !wanted_port(filter_lports, event->lport) ||
	    !wanted_port(filter_dports, event->dport))
		return 0;
	hello->given = base + length;
	if (!find_extensions(hello, base))
		return 0;
	for (int i = 0; i < EXTENSIONS; i++)
		if (!take_extension(slot))
			break;
	if (hello->at != hello->end && !event->truncated)
		return 0;
	event_head(event, id);
	event_output(events, event, sizeof(*event));
	return 0;
}

/* What was sent, wholly or in part: only what begins as such a message does is looked at. */
static __always_inline int sent(__u32 slot, __u64 base, __u64 length)
{
	__u64 id = bpf_get_current_pid_tgid();
	__u8 head[8] = {};

	if (length < RECORD_HEAD + HANDSHAKE_HEAD || !wanted_task(id) ||
	    bpf_probe_read_user(head, RECORD_HEAD + 1, (void *)base))
		return 0;
	if (head[0] != HANDSHAKE || head[1] != 3 || head[RECORD_HEAD] != CLIENT_HELLO)
		return 0;
	return hello(slot, id, base, length);
}

static __always_inline int sent_piece(__u32 slot, __u64 pieces)
{
	struct piece piece = {};

	bpf_probe_read_user(&piece, sizeof(piece), (void *)pieces);
	return sent(slot, piece.base, piece.length);
}

AT_EXIT(write)
{
	struct pt_regs *regs = current_user_regs();

	return ctx->ret > RECORD_HEAD ? sent(WRITE, syscall_arg2(regs), syscall_arg3(regs)) : 0;
}

AT_EXIT(sendto)
{
	struct pt_regs *regs = current_user_regs();

	return ctx->ret > RECORD_HEAD ? sent(SENDTO, syscall_arg2(regs), syscall_arg3(regs)) : 0;
}

AT_EXIT(writev)
{
	struct pt_regs *regs = current_user_regs();

	return ctx->ret > RECORD_HEAD ? sent_piece(WRITEV, syscall_arg2(regs)) : 0;
}

AT_EXIT(sendmsg)
{
	struct pt_regs *regs = current_user_regs();
	struct message message = {};

	if (ctx->ret <= RECORD_HEAD)
		return 0;
	bpf_probe_read_user(&message, sizeof(message), (void *)syscall_arg2(regs));
	return sent_piece(SENDMSG, message.pieces);
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
