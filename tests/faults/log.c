// SPDX-License-Identifier: MIT
/*
 * log: a syslog for tests, which takes every line and forgets it.
 *
 *	log PATH
 *
 * Binds a datagram socket at PATH, where everybody may write, and reads from it until it is killed.
 */
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int sock = socket(AF_UNIX, SOCK_DGRAM, 0);
	char line[4096];

	if (argc != 2)
		return fprintf(stderr, "usage: log PATH\n"), 2;
	snprintf(address.sun_path, sizeof(address.sun_path), "%s", argv[1]);
	if (bind(sock, (const struct sockaddr *)&address, sizeof(address)) < 0 || chmod(argv[1], 0666) < 0)
		return perror(argv[1]), 1;
	while (recv(sock, line, sizeof(line), 0) >= 0)
		;
	return 0;
}
