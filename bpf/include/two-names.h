/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* Records of system calls that end with one name or two, as they were given. */
#ifndef KSCOPE_TWO_NAMES_H
#define KSCOPE_TWO_NAMES_H

#include "calls.h"
#include "text.h"

#define NAME_ROOM 4096

/* Two names of any length that the kernel takes, and what the verifier thinks could be written behind the first. */
#define NAMES_ROOM (2 * NAME_ROOM)

/*
 * Writes the names, of which the second may be NULL, and returns their length;
 * a name that cannot be read is empty.
 */
static __always_inline __u32
read_names(char names[NAMES_ROOM], const char *first, const char *second, mark_t *truncated)
{
	__u32 length = read_user_text(names, NAME_ROOM, first, truncated);

	if (!length)
		names[length++] = '\0';
	if (second && length <= NAME_ROOM) {
		__u32 more = read_user_text(names + length, NAME_ROOM, second, truncated);

		if (!more) {
			names[length] = '\0';
			more = 1;
		}
		length += more;
	}
	return length;
}

#endif
