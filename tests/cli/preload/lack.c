// SPDX-License-Identifier: MIT
/*
 * A library for LD_PRELOAD, to have `tapgate` meet a kernel that lacks what LACK names: "netlink" (as in a unit whose
 * RestrictAddressFamilies= leaves it out); or a kind of qdisc or filter, "clsact" or "bpf", which the real kernel is
 * then asked for by a name that it does not have. Compiled and used by tests/cli/kernels.sh.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>

int socket(int domain, int type, int protocol)
{
	int (*real)(int, int, int) = (int (*)(int, int, int))dlsym(RTLD_NEXT, "socket");
	const char *lack = getenv("LACK");

	if (lack && strcmp(lack, "netlink") == 0 && domain == AF_NETLINK) {
		errno = EAFNOSUPPORT;
		return -1;
	}
	return real(domain, type, protocol);
}

ssize_t sendmsg(int fd, const struct msghdr *message, int flags)
{
	ssize_t (*real)(int, const struct msghdr *, int) =
		(ssize_t(*)(int, const struct msghdr *, int))dlsym(RTLD_NEXT, "sendmsg");
	const char *lack = getenv("LACK");
	const struct iovec *text = message->msg_iov;
	char *found = lack ? memmem(text->iov_base, text->iov_len, lack, strlen(lack) + 1) : NULL;

	if (found)
		*found = 'x';
	return real(fd, message, flags);
}
