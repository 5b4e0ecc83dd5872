// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
#include "generated-events.h"
#include "stack.h"

STACKS(stacks);

char LICENSE[] SEC("license") = "Dual BSD/GPL";
