// SPDX-License-Identifier: MIT
/* What comes over a unix stream socket, descriptors among it: one for all tests. */
#ifndef TESTS_COMMON_RECEIVE_H
#define TESTS_COMMON_RECEIVE_H

#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { RECEIVED_MAX = 64 };

/* One message: bytes as of recvmsg(2), and the descriptors in it, closed on exec. */
struct received {
	ssize_t bytes;
	size_t count;
	int fds[RECEIVED_MAX];
};

static inline struct received receive_message(int sock, int flags)
{
	union {
		char space[CMSG_SPACE(RECEIVED_MAX * sizeof(int))];
		struct cmsghdr align;
	} control;
	char bytes[512];
	struct iovec data = {.iov_base = bytes, .iov_len = sizeof(bytes)};
	struct msghdr message = {.msg_iov = &data,
		.msg_iovlen = 1,
		.msg_control = control.space,
		.msg_controllen = sizeof(control.space)};
	struct received received = {.bytes = recvmsg(sock, &message, flags | MSG_CMSG_CLOEXEC)};
	const struct cmsghdr *rights = received.bytes > 0 ? CMSG_FIRSTHDR(&message) : NULL;

	if (rights && rights->cmsg_level == SOL_SOCKET && rights->cmsg_type == SCM_RIGHTS) {
		received.count = (rights->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		memcpy(received.fds, CMSG_DATA(rights), received.count * sizeof(int));
	}
	return received;
}

/* Close them from the one of that number on. */
static inline void received_close(const struct received *received, size_t from)
{
	for (size_t i = from; i < received->count; i++)
		close(received->fds[i]);
}

#endif
