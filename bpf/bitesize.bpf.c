// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* How large the requests to block devices are, by the command that issues them. */
#include "block.h"
#include "core.h"
#include "filter.h"
#include "hist.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>

struct key {
	comm_t comm[16];
};

HISTOGRAMS(hists, struct key, 10240);

SEC("tp_btf/block_rq_issue")
int block_rq_issue__tp_btf(__u64 *ctx)
{
	struct request *rq = traced_request(ctx);
	struct key key = {};

	if (!wanted_task(bpf_get_current_pid_tgid()))
		return 0;
	if (filter_disk && request_disk(rq) != filter_disk)
		return 0;
	bpf_get_current_comm(key.comm, sizeof(key.comm));
	hist_add(hists, &key, BPF_CORE_READ(rq, __data_len));
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
