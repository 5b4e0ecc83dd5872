// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * The sockets that there are. Those that processes have open are found by
 * their files, in all network namespaces; the tables of the protocols have the
 * others of this namespace: without a process, and on their way to be accepted
 * or forgotten.
 */
#include "core.h"
#include "tcp.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#define AF_UNIX 1
#define IPPROTO_UDP 17
#define SOCK_STREAM 1
#define SOCK_DGRAM 2
#define SOCK_SEQPACKET 5
#define UNIX_PATH 108

enum kind {
	TCP,
	UDP,
	UNIX_STREAM,
	UNIX_DGRAM,
	UNIX_SEQPACKET,
};

struct row {
	addr_t sk;
	enum kind kind;
	tcp_state_t state;
	maybe_pid_t pid;
	fd_t fd;
	maybe_comm_t comm[16];
	uid_t uid;
	__u64 inode;		/* 0: no file */
	namespace_t netns;
	ip_version_t ip;
	maybe_ip_t saddr[16];
	port_t lport;
	maybe_ip_t daddr[16];
	port_t dport;
	__u32 rxq;		/* not read yet; of a listening socket: not accepted yet */
	__u32 txq;		/* not acknowledged yet; of a listening socket: how many may wait */
	maybe_text_t path[UNIX_PATH + 4];
};

const struct row *const rows_record SEC(".types");

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct bpf_iter_meta {
	struct seq_file *seq;
};

struct bpf_iter__tcp {
	struct bpf_iter_meta *meta;
	struct sock_common *sk_common;
};

struct bpf_iter__udp {
	struct bpf_iter_meta *meta;
	struct udp_sock *udp_sk;
};

struct bpf_iter__unix {
	struct bpf_iter_meta *meta;
	struct unix_sock *unix_sk;
};

struct bpf_iter__task_file {
	struct bpf_iter_meta *meta;
	struct task_struct *task;
	__u32 fd;
	struct file *file;
};

struct file___socket {
	struct inode *f_inode;
	void *private_data;
};

struct socket___file {
	struct file___socket *file;
};

struct net {
	struct ns_common ns;
};

typedef struct {
	struct net *net;
} possible_net_t;

struct sock_common___any {
	possible_net_t skc_net;
};

typedef struct {
	uid_t val;
} kuid_t;

struct sock___any {
	struct sock_common___any __sk_common;
	__u16 sk_protocol;
	__u16 sk_type;
	struct socket___file *sk_socket;
	kuid_t sk_uid;
	__u32 sk_ack_backlog;
	__u32 sk_max_ack_backlog;
};

struct tcp_sock___queues {
	__u32 rcv_nxt;
	__u32 copied_seq;
	__u32 write_seq;
	__u32 snd_una;
};

struct sockaddr_un {
	char sun_path[UNIX_PATH];
};

struct unix_address {
	int len;
	struct sockaddr_un name[0];
};

struct unix_sock {
	struct unix_address *addr;
};

#pragma clang attribute pop

static __always_inline void inet_row(struct row *row, const struct sock *sk)
{
	row->ip = sock_addresses(sk, row->saddr, row->daddr);
	row->lport = sock_local_port(sk);
	row->dport = sock_remote_port(sk);
	/* Nobody is at the other end. */
	if (!row->dport)
		__builtin_memset(row->daddr, 0, 16);
}

static __always_inline void tcp_row(struct row *row, const struct sock *sk)
{
	const struct tcp_sock___queues *tcp = (const void *)sk;
	const struct sock___any *any = (const void *)sk;

	if (row->state == LISTEN) {
		row->rxq = BPF_CORE_READ(any, sk_ack_backlog);
		row->txq = BPF_CORE_READ(any, sk_max_ack_backlog);
	} else if (row->state != CLOSE) {
		__s32 unread = BPF_CORE_READ(tcp, rcv_nxt) - BPF_CORE_READ(tcp, copied_seq);

		/* A FIN takes a number as well, and may be taken before the data. */
		row->rxq = unread > 0 ? unread : 0;
		row->txq = BPF_CORE_READ(tcp, write_seq) - BPF_CORE_READ(tcp, snd_una);
	}
}

/* A name with a NUL in front has no file; it is shown with an @, as others do. */
static __always_inline void unix_row(struct row *row, const struct sock *sk)
{
	struct unix_address *address = BPF_CORE_READ((const struct unix_sock *)sk, addr);
	int length;

	if (!address)
		return;
	/* Behind the family. */
	length = BPF_CORE_READ(address, len) - 2;
	if (length <= 0)
		return;
	if (length > UNIX_PATH)
		length = UNIX_PATH;
	bpf_probe_read_kernel(row->path, length, &address->name[0].sun_path);
	if (!row->path[0])
		row->path[0] = '@';
}

/* Whether it is a whole socket of a kind that we show; sk may be any. */
static __always_inline bool socket_row(struct row *row, const struct sock *sk)
{
	const struct sock___any *any = (const void *)sk;
	__u16 family = BPF_CORE_READ(sk, __sk_common.skc_family);
	__u16 protocol = BPF_CORE_READ(any, sk_protocol), type = BPF_CORE_READ(any, sk_type);
	struct socket___file *socket = BPF_CORE_READ(any, sk_socket);

	row->sk = (__u64)sk;
	row->state = tcp_state(sk);
	row->netns = BPF_CORE_READ(any, __sk_common.skc_net.net, ns.inum);
	row->uid = BPF_CORE_READ(any, sk_uid.val);
	row->inode = socket ? BPF_CORE_READ(socket, file, f_inode, i_ino) : 0;
	row->fd = -1;
	if (family == AF_UNIX) {
		row->kind = type == SOCK_STREAM ? UNIX_STREAM : type == SOCK_DGRAM ? UNIX_DGRAM : UNIX_SEQPACKET;
		unix_row(row, sk);
		return true;
	}
	if ((family != AF_INET && family != AF_INET6) || (protocol != IPPROTO_TCP && protocol != IPPROTO_UDP))
		return false;
	row->kind = protocol == IPPROTO_TCP ? TCP : UDP;
	inet_row(row, sk);
	if (row->kind == TCP)
		tcp_row(row, sk);
	return true;
}

SEC("iter/task_file")
int owned(struct bpf_iter__task_file *ctx)
{
	const struct file___socket *file = (void *)ctx->file;
	const struct task_struct *task = ctx->task;
	struct row row = {};
	struct socket *socket;
	struct sock *sk;

	if (!file || !task || (BPF_CORE_READ(file, f_inode, i_mode) & S_IFMT) != S_IFSOCK)
		return 0;
	socket = BPF_CORE_READ(file, private_data);
	sk = socket ? BPF_CORE_READ(socket, sk) : NULL;
	if (!sk || !socket_row(&row, sk))
		return 0;
	row.fd = ctx->fd;
	row.pid = BPF_CORE_READ(task, tgid);
	bpf_probe_read_kernel_str(row.comm, sizeof(row.comm), &task->comm);
	bpf_seq_write(ctx->meta->seq, &row, sizeof(row));
	return 0;
}

SEC("iter/tcp")
int tcp(struct bpf_iter__tcp *ctx)
{
	const struct sock *sk = (void *)ctx->sk_common;
	struct row row = {};

	if (!sk)
		return 0;
	row.state = tcp_state(sk);
	if (row.state == TIME_WAIT || row.state == NEW_SYN_RECV) {
		/* These begin as a socket does, and that is all. */
		row.sk = (__u64)sk;
		row.fd = -1;
		row.netns = BPF_CORE_READ((const struct sock___any *)sk, __sk_common.skc_net.net, ns.inum);
		inet_row(&row, sk);
	} else if (!socket_row(&row, sk)) {
		return 0;
	}
	bpf_seq_write(ctx->meta->seq, &row, sizeof(row));
	return 0;
}

SEC("iter/udp")
int udp(struct bpf_iter__udp *ctx)
{
	const struct sock *sk = (void *)ctx->udp_sk;
	struct row row = {};

	if (sk && socket_row(&row, sk))
		bpf_seq_write(ctx->meta->seq, &row, sizeof(row));
	return 0;
}

/* 2c860a43dd77 ("bpf: af_unix: Implement BPF iterator for UNIX domain socket.", 5.15) */
SEC("iter/unix")
int unix_domain(struct bpf_iter__unix *ctx)
{
	const struct sock *sk = (void *)ctx->unix_sk;
	struct row row = {};

	if (sk && socket_row(&row, sk))
		bpf_seq_write(ctx->meta->seq, &row, sizeof(row));
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
