// SPDX-License-Identifier: MIT
/*
 * tell: send standard input, as it is, as one datagram to a unix socket. For lines of the log that nobody's syslog(3)
 * would write.
 *
 *	tell PATH [UID]
 *
 * With a user ID, as if it came from that user: it claims so by SCM_CREDENTIALS (unix(7)).
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	struct ucred sender = {.pid = getpid(), .gid = getgid()};
	union {
		char bytes[CMSG_SPACE(sizeof(struct ucred))];
		struct cmsghdr header;
	} control = {
		.header = {
			.cmsg_len = CMSG_LEN(sizeof(sender)), .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_CREDENTIALS}};
	static char text[65536];
	struct iovec data = {.iov_base = text};
	struct msghdr message = {
		.msg_name = &address, .msg_namelen = sizeof(address), .msg_iov = &data, .msg_iovlen = 1};
	ssize_t size = read(STDIN_FILENO, text, sizeof(text));

	if (argc < 2 || argc > 3 || size < 0)
		return fprintf(stderr, "usage: tell PATH [UID]\n"), 2;
	snprintf(address.sun_path, sizeof(address.sun_path), "%s", argv[1]);
	data.iov_len = (size_t)size;
	if (argc == 3) {
		sender.uid = (uid_t)strtoul(argv[2], NULL, 10);
		memcpy(CMSG_DATA(&control.header), &sender, sizeof(sender));
		message.msg_control = control.bytes;
		message.msg_controllen = sizeof(control.bytes);
	}
	if (sendmsg(socket(AF_UNIX, SOCK_DGRAM, 0), &message, 0) != size)
		return perror(argv[1]), 1;
	return 0;
}
