/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * A condition on packets, written by people (lib/probes/packet-filter.ts): steps
 * that push what they find on a stack of bits, or take bits from it. All of
 * them are constants when the program is loaded.
 */
#ifndef KSCOPE_PACKET_FILTER_H
#define KSCOPE_PACKET_FILTER_H

#include "types.h"
#include <bpf/bpf_helpers.h>

#define FILTER_STEPS 128
#define NO_NUMBER (~0U)

enum step_kind {
	END,
	NUMBER,		/* whether a number is from low to high */
	ADDRESS,	/* whether an address is one of a network */
	AND,
	OR,
	NOT,
};

enum packet_number {
	IP_VERSION,
	ETHERTYPE,
	PROTOCOL,
	SOURCE_PORT,
	DESTINATION_PORT,
	LENGTH,
	OUTBOUND,
	NUMBERS = 8,
};

enum packet_address {
	SOURCE,
	DESTINATION,
	ADDRESSES,
};

struct filter_step {
	ip_t network[16] __attribute__((aligned(8)));
	ip_t mask[16];
	__u32 low;
	__u32 high;
	__u8 kind;
	__u8 which;	/* of the numbers or addresses */
};

const volatile struct filter_step filter_steps[FILTER_STEPS] = {};

/* NO_NUMBER where a packet has no such number. */
struct packet_facts {
	__u64 number[NUMBERS];
	__u64 address[ADDRESSES][2];
};

/*
 * There is no branch on what the packet says: verifiers that follow each one
 * would go through all combinations.
 */
static __always_inline bool packet_matches(const struct packet_facts *facts)
{
	__u64 stack = 1;

	for (int i = 0; i < FILTER_STEPS; i++) {
		const volatile struct filter_step *step = &filter_steps[i];
		__u32 kind = step->kind, which = step->which;
		__u64 top = stack & 1, differs;

		if (kind == END)
			break;
		if (kind == NUMBER) {
			__u64 number = facts->number[which & (NUMBERS - 1)];

			differs = (number - step->low) | (step->high - number);
			stack = stack << 1 | (~differs >> 63);
		} else if (kind == ADDRESS) {
			const volatile __u64 *network = (const volatile __u64 *)step->network;
			const volatile __u64 *mask = (const volatile __u64 *)step->mask;
			const __u64 *address = facts->address[which & 1];

			differs = ((address[0] & mask[0]) ^ network[0]) | ((address[1] & mask[1]) ^ network[1]);
			stack = stack << 1 | (~(differs | -differs) >> 63);
		} else if (kind == NOT) {
			stack ^= 1;
		} else {
			stack >>= 1;
			stack = kind == AND ? stack & (top | ~1ULL) : stack | top;
		}
	}
	return stack & 1;
}

#endif
