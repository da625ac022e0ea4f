// SPDX-License-Identifier: MIT
/*
 * call: run a tap helper the way a virtual machine monitor does, and say what came of it.
 *
 *	call [-h] COMMAND [ARGUMENT...]
 *
 * Makes a connected pair of unix stream sockets, runs COMMAND with one end open (every "{fd}" in its arguments
 * becomes that end's number), receives what is sent over the other end, and prints one line:
 *
 *	exit=0 fds=1 if=tap0 flags=1002
 *
 * exit is the exit status (or 128 + the signal), fds the number of descriptors that came, if and flags those of the
 * tap behind the first (TUNGETIFF). With -h the descriptors are held until standard input ends. Its own exit status
 * is the command's.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/common/receive.h"

/* Every "{fd}" in the words replaced by the number of a descriptor, in place of the words. */
static void name_descriptor(char **words, int fd)
{
	for (; *words; words++) {
		char *mark = strstr(*words, "{fd}");
		char *word = NULL;

		if (!mark)
			continue;
		if (asprintf(&word, "%.*s%d%s", (int)(mark - *words), *words, fd, mark + 4) < 0)
			abort();
		*words-- = word; /* the same word again: it may have another mark */
	}
}

int main(int argc, char **argv)
{
	int pair[2], status = 0;
	bool hold = argc > 1 && strcmp(argv[1], "-h") == 0;
	char **command = argv + (hold ? 2 : 1);

	if (!*command || socketpair(AF_UNIX, SOCK_STREAM, 0, pair) < 0)
		return fprintf(stderr, "usage: call [-h] COMMAND [ARGUMENT...]\n"), 2;
	pid_t child = fork();
	if (child == 0) {
		close(pair[0]);
		name_descriptor(command, pair[1]);
		execvp(*command, command);
		fprintf(stderr, "call: %s: %s\n", *command, strerror(errno));
		_exit(127);
	}
	close(pair[1]);
	struct received received = receive_message(pair[0], 0);
	if (child < 0 || waitpid(child, &status, 0) < 0)
		return perror("call"), 1;
	int code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
	printf("exit=%d fds=%zu", code, received.count);
	if (received.count > 0) {
		struct ifreq ifr = {0};
		if (ioctl(received.fds[0], TUNGETIFF, &ifr) == 0)
			printf(" if=%s flags=%x", ifr.ifr_name, (unsigned int)(unsigned short)ifr.ifr_flags);
	}
	printf("\n");
	fflush(stdout);
	for (char c; hold && read(STDIN_FILENO, &c, 1) > 0;)
		;
	return code;
}
