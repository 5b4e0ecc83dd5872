/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* The ways to read and write files that have a function or a system call of their own. */
#ifndef KSCOPE_FILE_CALLS_H
#define KSCOPE_FILE_CALLS_H

/* The function, whether it writes, and how many arguments it has, of which the first is the file. */
#define FILE_IO_FUNCTIONS(DO)	\
	DO(vfs_read, false, 4)	\
	DO(vfs_readv, false, 5)	\
	DO(vfs_write, true, 4)	\
	DO(vfs_writev, true, 5)

/* The system call, whether it writes, and whether its fourth argument is where; the first is the descriptor. */
#define FILE_IO_SYSCALLS(DO)		\
	DO(read, false, false)		\
	DO(pread64, false, true)	\
	DO(readv, false, false)		\
	DO(preadv, false, true)		\
	DO(preadv2, false, true)	\
	DO(write, true, false)		\
	DO(pwrite64, true, true)	\
	DO(writev, true, false)		\
	DO(pwritev, true, true)		\
	DO(pwritev2, true, true)

#endif
