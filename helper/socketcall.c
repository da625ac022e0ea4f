// SPDX-License-Identifier: MIT
/*
 * Sockets by system calls of their own where glibc makes them through socketcall(2), as on i386 and s390x: the
 * arguments of that one lie in memory, where no seccomp filter can look. These functions stand in the place of the C
 * library's, for libnl as well (ld.so(8): the program's symbols go before those of libraries). Empty elsewhere.
 */
#include <sys/socket.h>

#include <sys/syscall.h>
#include <unistd.h>

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
