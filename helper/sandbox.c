// SPDX-License-Identifier: MIT
/*
 * The stages of isolation, each for good. Seccomp kills the process at the first system call that is not on the stage's
 * list (helper/filters.def).
 */
#include "helper/filters.h"

#include <errno.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

/*
 * The filters were made when tapgate was built (helper/filters.awk): seccomp(2) loads them as they are. Then the filter
 * is asked for its sign: a filter around this process that only says it was loaded is found out.
 */
static bool enter(const struct sock_filter *filter, size_t size, int sign)
{
	struct sock_fprog program = {
		.len = (unsigned short)size,
		.filter = (struct sock_filter *)(uintptr_t)filter, /* read only; the kernel's type does not say so */
	};

	if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) != 0)
		return false;
	if (prctl(PR_GET_SECCOMP, 0, 0, 0, 0) == -1 && errno == sign)
		return true;
	errno = ENOTRECOVERABLE;
	return false;
}

bool sandbox_for_work(struct outcome *outcome)
{
	return enter(work_filter, sizeof(work_filter) / sizeof(*work_filter), SIGN_OF_WORK) ||
	       refuse_errno(outcome, errno, "cannot enter the seccomp sandbox");
}

bool sandbox_for_reading(struct outcome *outcome)
{
	return enter(reading_filter, sizeof(reading_filter) / sizeof(*reading_filter), SIGN_OF_READING) ||
	       refuse_errno(outcome, errno, "cannot enter the second seccomp sandbox");
}

bool sandbox_for_sending(int log, uint32_t taps, struct outcome *outcome)
{
	close(STDIN_FILENO);
	close(STDOUT_FILENO);
	/* What has these numbers is the caller's own, if an early step failed. */
	if (log < 0)
		close(FD_LOG);
	else if (log != FD_LOG)
		dup3(log, FD_LOG, O_CLOEXEC);
	return (close_descriptors(FD_NETLINK, FD_TAP - 1) && close_descriptors(FD_TAP + taps, ~0U) &&
		       enter(sending_filter, sizeof(sending_filter) / sizeof(*sending_filter), SIGN_OF_SENDING)) ||
	       refuse_errno(outcome, errno, "cannot enter the last seccomp sandbox");
}

/* --- socketcall --------------------------------------------------------------------------------------------------- */

/*
 * Sockets by system calls of their own where glibc makes them through socketcall(2), as on i386 and s390x: the
 * arguments of that one lie in memory, where no seccomp filter can look. These functions stand in the place of the C
 * library's, for libnl as well (ld.so(8): the program's symbols go before those of libraries). Empty elsewhere.
 */

#if defined(__GLIBC__) && (defined(__i386__) || defined(__s390x__))

int socket(int domain, int type, int protocol)
{
	return (int)syscall(SYS_socket, domain, type, protocol);
}

int bind(int fd, const struct sockaddr *address, socklen_t size)
{
	return (int)syscall(SYS_bind, fd, address, size);
}

int connect(int fd, const struct sockaddr *address, socklen_t size)
{
	return (int)syscall(SYS_connect, fd, address, size);
}

int getsockname(int fd, struct sockaddr *restrict address, socklen_t *restrict size)
{
	return (int)syscall(SYS_getsockname, fd, address, size);
}

int getpeername(int fd, struct sockaddr *restrict address, socklen_t *restrict size)
{
	return (int)syscall(SYS_getpeername, fd, address, size);
}

int getsockopt(int fd, int level, int option, void *restrict value, socklen_t *restrict size)
{
	return (int)syscall(SYS_getsockopt, fd, level, option, value, size);
}

int setsockopt(int fd, int level, int option, const void *value, socklen_t size)
{
	return (int)syscall(SYS_setsockopt, fd, level, option, value, size);
}

ssize_t sendmsg(int fd, const struct msghdr *message, int flags)
{
	return syscall(SYS_sendmsg, fd, message, flags);
}

ssize_t recvmsg(int fd, struct msghdr *message, int flags)
{
	return syscall(SYS_recvmsg, fd, message, flags);
}

ssize_t send(int fd, const void *bytes, size_t size, int flags)
{
	return syscall(SYS_sendto, fd, bytes, size, flags, NULL, 0);
}

#endif

/* A file has to have something in it. */
typedef int socketcall_is_optional;
