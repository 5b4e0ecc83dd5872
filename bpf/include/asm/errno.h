/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* The numbers that headers of libbpf ask for: those of the machine's own are not there for programs in the kernel. */
#ifndef KSCOPE_ERRNO_H
#define KSCOPE_ERRNO_H

#define ENOENT 2
#define ESRCH 3
#define EINVAL 22

#endif
