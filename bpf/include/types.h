/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * The vocabulary of records, map keys and map values. A typedef says what a
 * number or a string means; it survives into BTF, and user space picks the
 * decoder, the JSON form and the text form by its name. A plain __u32 is just
 * a number.
 */
#ifndef KSCOPE_TYPES_H
#define KSCOPE_TYPES_H

typedef signed char __s8;
typedef unsigned char __u8;
typedef short __s16;
typedef unsigned short __u16;
typedef int __s32;
typedef unsigned int __u32;
typedef long long __s64;
typedef unsigned long long __u64;
typedef __u16 __be16;
typedef __u32 __be32;
typedef __u64 __be64;
typedef __u32 __wsum;
typedef _Bool bool;

#define true 1
#define false 0

/* Who. Numbers of the initial pid and user namespaces. */
typedef int pid_t;		/* a process: what the kernel calls tgid */
typedef int thread_t;		/* a thread: what the kernel calls pid */
typedef __u32 uid_t;
typedef __u32 gid_t;
typedef __u32 cpu_t;
typedef __u64 cgroup_id_t;	/* inode of the cgroup v2 directory */
typedef __u32 namespace_t;	/* inode of the namespace */

/* Who, where that is not always known. */
typedef int maybe_pid_t;	/* 0: unknown */
typedef char maybe_comm_t;	/* empty: unknown */
typedef char maybe_text_t;	/* empty: absent */

/* Results. */
typedef int fd_t;		/* negative: absent */
typedef int errno_t;		/* a positive errno, 0: absent */
typedef int signal_t;		/* a signal number, 0: absent */
typedef bool mark_t;		/* a remark on the record; false: absent */

/* Times and amounts. */
typedef __u64 boot_ns_t;	/* an instant: bpf_ktime_get_boot_ns() */
typedef __u64 ns_t;		/* a span */
typedef __u64 maybe_ns_t;	/* 0: unknown */
typedef __u64 us_t;
typedef __u64 bytes_t;
typedef __u64 maybe_bytes_t;	/* 0: unknown */
typedef __u64 count_t;
typedef __u64 maybe_count_t;	/* 0: unknown */
typedef __u64 slot_t;		/* slot_t slots[N]: a power-of-two histogram */

typedef __u64 load_t;		/* a load average as the kernel keeps it: the last 11 bits are behind the point */
typedef __u32 percent_t;	/* a share in hundredths of a percent, ~0: absent */
typedef __u32 cpu_percent_t;	/* a share of one processor: that of several may be above a hundred percent */

/*
 * Strings: arrays of bytes of any value but NUL. The text ends at the first
 * NUL. The last member of a record may be declared as long as it can ever get
 * and sent as long as it is: the record then ends behind the NUL.
 */
typedef char comm_t;		/* comm_t comm[16] */
typedef char path_t;
typedef char text_t;

/*
 * A list of strings, each ended by a NUL; only as the last member of a record.
 * No byte at all is the empty list, one NUL is a list of one empty string. A
 * last string without a NUL was cut (the record's `truncated` says so too).
 */
typedef char args_t;

/*
 * Bytes of any value; only as the last member of a record: how many there are
 * as a __u32, then as many. The record may end behind them, or later.
 */
typedef char data_t;
typedef char hex_t;		/* the same, shown in hexadecimal */

/*
 * A path as it is found when walking from a file up to its root: pieces, the
 * leaf first, each ended by a NUL; only as the last member of a record. Split
 * at the NULs, reverse the pieces, join them with '/':
 *	"passwd\0" "etc\0" "\0"		/etc/passwd: the empty outermost piece is the root
 *	"\0" "\0"			/
 *	"a/b\0" "src\0" "\0"		/src/a/b: a piece may hold slashes (a name as it was given)
 *	"a/b\0"				a/b: a relative name and nothing known of its directory
 *	"\0"				the empty name
 *	"f\0" "d\0" "...\0"		.../d/f: the walk ended before a root; the record's
 *					`truncated` is set as well, since a directory may have that name
 * In a field of fixed length, three NULs or more end a path from the root, or one that begins with "...".
 */
typedef char dentry_path_t;
typedef char maybe_dentry_path_t;	/* of fixed length; a slash in front, and nothing else: absent */

/* Opening files. Values differ between architectures as O_DIRECTORY does. */
typedef __u32 open_flags_t;
typedef int file_mode_t;	/* permission bits, octal; negative: absent */

/* Networks. */
typedef __u32 ip4_t;		/* bytes as in the packet */
typedef __u8 ip6_t;		/* ip6_t addr[16] */
typedef __u8 ip_t;		/* ip_t addr[16]: either family, IPv4 is stored as ::ffff:a.b.c.d */
typedef __u8 maybe_ip_t;	/* the same, all zeros: absent */
typedef __u8 ip_version_t;	/* 4, 6, or 0 for neither */
typedef __u16 port_t;		/* host order, 0: absent */
typedef __u8 tcp_state_t;	/* 0: there is no socket */
typedef __u8 tcp_flags_t;	/* as in the header, 0: absent */

/* A system call: its number, and SYSCALL_COMPAT for a 32-bit program's, whose numbers are others. */
typedef __u32 syscall_t;	/* NO_SYSCALL: absent */
#define SYSCALL_COMPAT (1U << 31)
#define NO_SYSCALL (~0U)

/* The kernel's own objects. */
typedef __u32 dev_t;		/* in-kernel encoding: major << 20 | minor */
typedef __u64 sector_t;		/* a place on a disk: 512 bytes each, whatever the disk has */
typedef __u64 addr_t;
typedef __u64 maybe_addr_t;	/* 0: unknown */
typedef __s32 stack_id_t;	/* negative: the stack could not be taken */

#endif
