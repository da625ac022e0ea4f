// SPDX-License-Identifier: MIT
/* The socket that the caller handed down, and what goes out by it. */
#include "helper/helper.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include "policy/policy.h"

enum { FUSE_MAGIC = 0x65735546 };

/* close_range(2), Linux 5.9: not every C library has it, nor every kernel's headers its number. */
#ifndef SYS_close_range
#define SYS_close_range 436
#endif
bool close_descriptors(unsigned int first, unsigned int last)
{
	return syscall(SYS_close_range, first, last, 0) == 0;
}

static bool socket_option_is(int fd, int option, int expected)
{
	int value = -1;
	socklen_t size = sizeof(value);

	return getsockopt(fd, SOL_SOCKET, option, &value, &size) == 0 && size == sizeof(value) && value == expected;
}

bool peer_is_connected(int fd)
{
	struct sockaddr_un address;
	socklen_t size = sizeof(address);

	return getpeername(fd, (struct sockaddr *)&address, &size) == 0;
}

/*
 * Standard input and output are of no use, and standard error is of none where a user serves it (fuse(4)): closing such
 * a file can take for ever, whatever ends the process, and the tap would stay meanwhile.
 */
static bool leave_streams(struct outcome *outcome)
{
	struct statfs system;
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	bool left = null >= 0 && dup3(null, STDIN_FILENO, 0) >= 0 && dup3(null, STDOUT_FILENO, 0) >= 0;

	if (left && fstatfs(FD_ERROR, &system) == 0 && system.f_type == FUSE_MAGIC)
		left = dup3(null, FD_ERROR, 0) >= 0;
	if (!left)
		refuse_errno(outcome, errno, "cannot leave the standard streams");
	close(null);
	return left;
}

bool peer_keep(struct order *order, struct outcome *outcome)
{
	const int fd = order->request.fd;

	if (order->served)
		close(FD_PEER);
	else if (fd == order->log || fcntl(fd, F_GETFD) < 0)
		return refuse(outcome, EXIT_USAGE, "--fd=%d is not open, expected a socket", fd);
	else if (fd != FD_PEER && dup3(fd, FD_PEER, O_CLOEXEC) < 0)
		return refuse_errno(outcome, errno, "cannot move --fd=%d to descriptor %d", fd, FD_PEER);
	if (order->log != FD_LOG && dup3(order->log, FD_LOG, O_CLOEXEC) < 0)
		return refuse_errno(outcome, errno, "cannot move a descriptor to number %d", FD_LOG);
	order->log = FD_LOG;
	if (!close_descriptors(FD_LOG + 1, ~0U))
		return refuse_errno(
			outcome, errno, "cannot close inherited descriptors (Linux 5.9 or newer is needed)");
	return leave_streams(outcome);
}

bool peer_take(struct order *order, struct outcome *outcome)
{
	const int fd = order->request.fd;
	const uid_t caller = order->caller.uid;
	struct ucred peer = {.pid = 0, .uid = (uid_t)-1, .gid = (gid_t)-1};
	socklen_t size = sizeof(peer);

	if (!socket_option_is(FD_PEER, SO_DOMAIN, AF_UNIX) || !socket_option_is(FD_PEER, SO_TYPE, SOCK_STREAM))
		return refuse(outcome, EXIT_USAGE, "--fd=%d is not a unix stream socket, expected a connected one", fd);
	if (!peer_is_connected(FD_PEER))
		return refuse(outcome, EXIT_USAGE, "--fd=%d is not connected, expected a connected socket", fd);
	if (getsockopt(FD_PEER, SOL_SOCKET, SO_PEERCRED, &peer, &size) < 0 || size != sizeof(peer))
		return refuse_errno(outcome, errno, "cannot tell who is behind --fd=%d", fd);
	if (peer.uid != caller)
		return refuse(outcome, EXIT_USAGE, "--fd=%d leads to uid %u, expected a socket of the caller's, uid %u",
			fd, peer.uid, caller);
	order->vmm = peer.pid > 0 ? peer.pid : 0;
	return true;
}

bool peer_send_taps(uint32_t count, struct outcome *outcome)
{
	union {
		char space[CMSG_SPACE(POLICY_QUEUES_MAX * sizeof(int))];
		struct cmsghdr align;
	} control = {{0}};
	char byte = 0;
	struct iovec data = {.iov_base = &byte, .iov_len = 1};
	struct msghdr message = {
		.msg_iov = &data,
		.msg_iovlen = 1,
		.msg_control = control.space,
		.msg_controllen = (socklen_t)CMSG_SPACE(count * sizeof(int)),
	};
	struct cmsghdr *rights = &control.align;
	int taps[POLICY_QUEUES_MAX] = {0};

	for (uint32_t i = 0; i < count; i++)
		taps[i] = FD_TAP + (int)i;
	rights->cmsg_level = SOL_SOCKET;
	rights->cmsg_type = SCM_RIGHTS;
	rights->cmsg_len = (socklen_t)CMSG_LEN(count * sizeof(*taps));
	memcpy(CMSG_DATA(rights), taps, count * sizeof(*taps));
	if (sendmsg(FD_PEER, &message, MSG_DONTWAIT | MSG_NOSIGNAL) == 1)
		return true;
	if (errno == EAGAIN)
		return refuse(
			outcome, EXIT_SYSTEM, "cannot send the tap's descriptor: the caller does not read its socket");
	return refuse_errno(outcome, errno, "cannot send the tap's descriptor");
}
