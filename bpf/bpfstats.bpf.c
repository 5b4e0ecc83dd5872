// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* The BPF programs that there are: user space adds what they cost. */
#include "core.h"
#include "iter.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_tracing.h>

struct row {
	__u32 id;
	__u32 code;		/* type */
	maybe_text_t name[16];
	count_t runs;
	ns_t run_time;
	maybe_ns_t total_time;	/* since it was loaded, as far as it was counted */
	maybe_bytes_t map_bytes;
	__u32 map_count;
};

const struct row *const rows_record SEC(".types");

SEC("iter/bpf_prog")
int programs(struct bpf_iter__bpf_prog *ctx)
{
	struct bpf_prog *prog = ctx->prog;
	struct row row = {};

	if (!prog)
		return 0;
	row.id = BPF_CORE_READ(prog, aux, id);
	row.code = BPF_CORE_READ(prog, type);
	BPF_CORE_READ_STR_INTO(&row.name, prog, aux, name);
	bpf_seq_write(ctx->meta->seq, &row, sizeof(row));
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
