// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* Nothing: counters are read without a program in the kernel. */
#include "core.h"
#include <bpf/bpf_helpers.h>

char LICENSE[] SEC("license") = "Dual BSD/GPL";
