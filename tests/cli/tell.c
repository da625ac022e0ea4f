/*
 * tell: send standard input, as it is, as one datagram to a unix socket. For lines of the log that nobody's syslog(3)
 * would write.
 *
 *	tell PATH
 */
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	const int sock = socket(AF_UNIX, SOCK_DGRAM, 0);
	char text[65536];
	ssize_t size;

	if (argc != 2)
		return fprintf(stderr, "usage: tell PATH\n"), 2;
	snprintf(address.sun_path, sizeof(address.sun_path), "%s", argv[1]);
	size = read(STDIN_FILENO, text, sizeof(text));
	if (size < 0 || sendto(sock, text, (size_t)size, 0, (struct sockaddr *)&address, sizeof(address)) != size)
		return perror(argv[1]), 1;
	return 0;
}
