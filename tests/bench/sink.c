// SPDX-License-Identifier: MIT
/*
 * sink: stand in for syslogd, so that a helper that logs pays for it in the benchmark as it would on a real machine.
 *
 *	sink PATH
 *
 * Returns as soon as it listens; a process stays behind that reads every datagram and throws it away. Everybody may
 * write to it. It must only be started where it is ended by something else: it lives as long as its namespace.
 */
#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	char line[1024];

	if (argc != 2)
		errx(2, "usage: sink PATH");
	snprintf(address.sun_path, sizeof(address.sun_path), "%s", argv[1]);
	int sock = socket(AF_UNIX, SOCK_DGRAM, 0);
	if (bind(sock, (struct sockaddr *)&address, sizeof(address)) < 0 || chmod(address.sun_path, 0666) < 0 ||
		daemon(0, 0) < 0)
		err(1, "%s", argv[1]);
	for (;;)
		recv(sock, line, sizeof(line), 0);
}
