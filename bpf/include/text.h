/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* Strings of others, read with the knowledge of whether they were cut. */
#ifndef KSCOPE_TEXT_H
#define KSCOPE_TEXT_H

#include "core.h"
#include <bpf/bpf_helpers.h>

/*
 * Reads a string into room for `size` bytes (constant). Returns its length
 * with the NUL, or 0 where it could not be read; *cut becomes true if there
 * was more of it, and is left alone otherwise.
 *
 * The helper answers 0 to an empty string before "maccess: fix
 * strncpy_from_user_nofault() empty string handling" (6.16).
 */
static __always_inline __u32 read_user_text(char *to, const __u32 size, const char *from, bool *cut)
{
	long length = bpf_probe_read_user_str(to, size, from);
	char last = '\0';

	if (length < 0)
		return 0;
	if (length == 0)
		return 1;
	/* A string that just fits and one that was cut have the same length. */
	if (length == size) {
		bpf_probe_read_user(&last, 1, from + size - 1);
		if (last)
			*cut = true;
	}
	return length;
}

static __always_inline __u32 read_kernel_text(char *to, const __u32 size, const char *from, bool *cut)
{
	long length = bpf_probe_read_kernel_str(to, size, from);
	char last = '\0';

	if (length <= 0)
		return 0;
	if (length == size) {
		bpf_probe_read_kernel(&last, 1, from + size - 1);
		if (last)
			*cut = true;
	}
	return length;
}

#endif
