// SPDX-License-Identifier: MIT
/* The seccomp filters (helper/filters.def), and what stands in them for numbers. For sandbox.c, and for tests. */
#ifndef HELPER_FILTERS_H
#define HELPER_FILTERS_H

#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/if_tun.h>
#include <linux/netlink.h>
#include <linux/seccomp.h>
#include <linux/sockios.h>
#include <stddef.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "helper/helper.h"

/* What the kernel calls the architecture that the helper is compiled for: calls of another one's are none of ours. */
#if defined(__x86_64__)
#define FILTER_ARCH AUDIT_ARCH_X86_64
#elif defined(__i386__)
#define FILTER_ARCH AUDIT_ARCH_I386
#elif defined(__aarch64__) && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define FILTER_ARCH AUDIT_ARCH_AARCH64
#elif defined(__arm__) && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define FILTER_ARCH AUDIT_ARCH_ARM
#elif defined(__riscv) && __riscv_xlen == 64
#define FILTER_ARCH AUDIT_ARCH_RISCV64
#elif defined(__powerpc64__) && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define FILTER_ARCH AUDIT_ARCH_PPC64LE
#elif defined(__powerpc64__)
#define FILTER_ARCH AUDIT_ARCH_PPC64
#elif defined(__s390x__)
#define FILTER_ARCH AUDIT_ARCH_S390X
#elif defined(__loongarch64) && defined(AUDIT_ARCH_LOONGARCH64)
#define FILTER_ARCH AUDIT_ARCH_LOONGARCH64
#else
#error "no seccomp filter is known for this architecture: its AUDIT_ARCH_... is missing in helper/filters.h"
#endif

/* The lower half of an argument, which is all that the kernel looks at where it is an int. */
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define LOW(argument) (offsetof(struct seccomp_data, args) + 8 * ((argument)-1))
#else
#define LOW(argument) (offsetof(struct seccomp_data, args) + 8 * ((argument)-1) + 4)
#endif

#define ACCESS	    (O_WRONLY | O_RDWR) /* musl's O_ACCMODE has O_PATH in it */
#define OPEN_BITS   (ACCESS | O_CREAT | O_TRUNC | O_APPEND | (O_TMPFILE & ~O_DIRECTORY))
#define SOCKET_TYPE 0xf
#define TAPS	    (~(POLICY_QUEUES_MAX - 1))

_Static_assert(FD_TAP % POLICY_QUEUES_MAX == 0 && FD_OTHERS == FD_TAP + POLICY_QUEUES_MAX, "one mask for all queues");

#include "filters.inc"

#endif
