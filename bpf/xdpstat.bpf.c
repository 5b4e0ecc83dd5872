// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* What becomes of packets that XDP programs redirect, send back, or fail with. */
#include "iter.h"
#include "skb.h"
#include "table.h"
#include <bpf/bpf_tracing.h>

const volatile text_t filter_interface[16] = {};

/* What the number of the map is where there is none. */
#define NO_MAP 0x7fffffff

enum xdp_step {
	EXCEPTION,
	REDIRECT,
	XMIT,
	BULK_TX,
	ENQUEUE,
	CPUMAP,
};

/* As programs return them: part of the interface of the kernel. */
enum xdp_verdict {
	ABORTED,
	DROP,
	PASS,
	TX,
	REDIRECTED,
};

struct key {
	enum xdp_step step;
	enum xdp_verdict verdict;
	errno_t error;
	namespace_t netns;		/* 0: there is no interface */
	__u32 prog_id;		/* 0: not told */
	__u32 map_id;		/* 0: none */
	maybe_text_t interface[16];
	maybe_text_t program[16];
	maybe_text_t to[16];	/* an interface, or a processor */
};

struct value {
	count_t packets;
	count_t drops;
};

TABLE_IN(steps, BPF_MAP_TYPE_PERCPU_HASH, struct key, struct value, 16384);

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct bpf_map {
	__u32 id;
};

struct bpf_redirect_info {
	__u32 map_id;
};

struct xdp_cpumap_stats {
	unsigned int redirect;
	unsigned int pass;
	unsigned int drop;
};

#pragma clang attribute pop

static __always_inline void add(struct key *key, const struct net_device *dev, __u64 packets, __u64 drops)
{
	struct value *value;

	if (dev) {
		key->netns = BPF_CORE_READ(dev, nd_net.net, ns.inum);
		bpf_probe_read_kernel_str(key->interface, sizeof(key->interface), dev->name);
	}
	if (!packets || !wanted_netns(key->netns) || !wanted_interface(filter_interface, key->interface))
		return;
	value = table_row(steps, key);
	if (!value)
		return;
	value->packets += packets;
	value->drops += drops;
}

static __always_inline void set_program(struct key *key, const struct bpf_prog *prog)
{
	key->prog_id = BPF_CORE_READ(prog, aux, id);
	BPF_CORE_READ_STR_INTO(&key->program, prog, aux, name);
}

/* "cpu12" */
static __always_inline void set_cpu(struct key *key, __u32 cpu)
{
	__u32 place = cpu < 10 ? 1 : cpu < 100 ? 10 : cpu < 1000 ? 100 : 1000;

	__builtin_memcpy(key->to, "cpu", 3);
#pragma unroll
	for (int i = 3; i < 7; i++) {
		key->to[i] = place ? '0' + cpu / place % 10 : 0;
		place /= 10;
	}
}

SEC("tp_btf/xdp_exception")
int BPF_PROG(exception__btf, const struct net_device *dev, const struct bpf_prog *prog, __u32 verdict)
{
	struct key key = { .step = EXCEPTION, .verdict = verdict };

	set_program(&key, prog);
	add(&key, dev, 1, 1);
	return 0;
}

/* A redirection, by its tracepoint's arguments. */
static __always_inline int redirected(__u64 *ctx, int error)
{
	struct key key = { .step = REDIRECT, .verdict = REDIRECTED, .error = -error };

	set_program(&key, (const struct bpf_prog *)ctx[1]);
	/* ee75aef23afe ("bpf, xdp: Restructure redirect actions", 5.13): type and number of what had been the map. */
	if (bpf_core_field_exists(struct bpf_redirect_info, map_id))
		key.map_id = (__u32)ctx[5] == NO_MAP ? 0 : ctx[5];
	else
		key.map_id = BPF_CORE_READ((struct bpf_map *)ctx[4], id);
	add(&key, (const struct net_device *)ctx[0], 1, error != 0);
	return 0;
}

SEC("tp_btf/xdp_redirect")
int redirect__btf(__u64 *ctx)
{
	return redirected(ctx, 0);
}

SEC("tp_btf/xdp_redirect_err")
int redirect_err__btf(__u64 *ctx)
{
	return redirected(ctx, ctx[3]);
}

SEC("tp_btf/xdp_devmap_xmit")
int BPF_PROG(xmit__btf, const struct net_device *from, const struct net_device *to, int sent, int drops, int error)
{
	struct key key = { .step = XMIT, .verdict = REDIRECTED, .error = -error };

	bpf_probe_read_kernel_str(key.to, sizeof(key.to), to->name);
	add(&key, from, sent + drops, drops);
	return 0;
}

SEC("tp_btf/xdp_bulk_tx")
int BPF_PROG(bulk_tx__btf, const struct net_device *dev, int sent, int drops, int error)
{
	struct key key = { .step = BULK_TX, .verdict = TX, .error = -error };

	add(&key, dev, sent + drops, drops);
	return 0;
}

SEC("tp_btf/xdp_cpumap_enqueue")
int BPF_PROG(enqueue__btf, int map_id, unsigned int processed, unsigned int drops, int cpu)
{
	struct key key = { .step = ENQUEUE, .verdict = REDIRECTED, .map_id = map_id };

	set_cpu(&key, cpu);
	/* Those that found no room are among the processed ones; where XDP is generic, they are not. */
	add(&key, NULL, processed > drops ? processed : drops, drops);
	return 0;
}

SEC("tp_btf/xdp_cpumap_kthread")
int BPF_PROG(cpumap__btf, int map_id, unsigned int processed, unsigned int drops, int sched, struct xdp_cpumap_stats *stats)
{
	struct key key = { .step = CPUMAP, .verdict = PASS, .map_id = map_id };
	unsigned int redirect = BPF_CORE_READ(stats, redirect), drop = BPF_CORE_READ(stats, drop);

	set_cpu(&key, bpf_get_smp_processor_id());
	/* Of the packets taken out of the queue, those that the map's own program has not decided otherwise on. */
	add(&key, NULL, processed - redirect - drop, drops);
	key.verdict = REDIRECTED;
	add(&key, NULL, redirect, 0);
	key.verdict = DROP;
	add(&key, NULL, drop, drop);
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
