// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* The BPF programs, maps and links that there are, as the kernel lists them. */
#include "core.h"
#include "iter.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_tracing.h>

enum object_kind {
	prog,
	map,
	link,
};

struct row {
	enum object_kind object;
	__u32 id;
	__u32 code;		/* type */
	__u32 size;		/* instructions of a program, entries of a map, program of a link */
	bytes_t bytes;		/* of a key and a value of a map */
	maybe_text_t name[16];
};

const struct row *const rows_record SEC(".types");

/* As bpf_prog_type: only the name matters. */
enum bpf_link_type {
	BPF_LINK_TYPE_UNSPEC,
};

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct bpf_map {
	enum bpf_map_type map_type;
	__u32 key_size;
	__u32 value_size;
	__u32 max_entries;
	__u32 id;
	char name[16];
};

struct bpf_link {
	__u32 id;
	enum bpf_link_type type;
	struct bpf_prog *prog;
};

struct bpf_iter__bpf_map {
	struct bpf_iter_meta *meta;
	struct bpf_map *map;
};

struct bpf_iter__bpf_link {
	struct bpf_iter_meta *meta;
	struct bpf_link *link;
};

#pragma clang attribute pop

SEC("iter/bpf_prog")
int programs(struct bpf_iter__bpf_prog *ctx)
{
	struct row row = { .object = prog };
	struct bpf_prog *one = ctx->prog;

	if (!one)
		return 0;
	row.id = BPF_CORE_READ(one, aux, id);
	row.code = BPF_CORE_READ(one, type);
	row.size = BPF_CORE_READ(one, len);
	BPF_CORE_READ_STR_INTO(&row.name, one, aux, name);
	bpf_seq_write(ctx->meta->seq, &row, sizeof(row));
	return 0;
}

SEC("iter/bpf_map")
int maps(struct bpf_iter__bpf_map *ctx)
{
	struct row row = { .object = map };
	struct bpf_map *one = ctx->map;

	if (!one)
		return 0;
	row.id = BPF_CORE_READ(one, id);
	row.code = BPF_CORE_READ(one, map_type);
	row.size = BPF_CORE_READ(one, max_entries);
	row.bytes = BPF_CORE_READ(one, key_size) + BPF_CORE_READ(one, value_size);
	BPF_CORE_READ_STR_INTO(&row.name, one, name);
	bpf_seq_write(ctx->meta->seq, &row, sizeof(row));
	return 0;
}

SEC("iter/bpf_link")
int links(struct bpf_iter__bpf_link *ctx)
{
	struct row row = { .object = link };
	struct bpf_link *one = ctx->link;

	if (!one)
		return 0;
	row.id = BPF_CORE_READ(one, id);
	row.code = BPF_CORE_READ(one, type);
	row.size = BPF_CORE_READ(one, prog, aux, id);
	BPF_CORE_READ_STR_INTO(&row.name, one, prog, aux, name);
	bpf_seq_write(ctx->meta->seq, &row, sizeof(row));
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
