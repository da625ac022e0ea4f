// SPDX-License-Identifier: MIT
/*
 * plug: be a virtual machine, as far as a network can tell: a namespace with one card.
 *
 *	plug USER NAMESPACE CARD COMMAND [ARGUMENT...]
 *
 * Asks the helper (COMMAND, with "{fd}" for the socket's number) as USER for a tap, makes a tap of its own, CARD, in
 * the network namespace NAMESPACE (ip-netns(8)), and carries frames between the two until it is killed. When all is
 * there it prints the name of the helper's tap. If the helper refuses, it exits with the helper's status.
 *
 * Run as root.
 */
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <poll.h>
#include <pwd.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/common/receive.h"

enum { FRAME_MAX = 65536 + 64 };

static void fail(const char *what)
{
	perror(what);
	exit(125);
}

/* A connected pair that the kernel holds for the user's own (SO_PEERCRED). */
static void make_pair(const struct passwd *user, int pair[static 2])
{
	if (setegid(user->pw_gid) < 0 || seteuid(user->pw_uid) < 0 || socketpair(AF_UNIX, SOCK_STREAM, 0, pair) < 0 ||
		seteuid(0) < 0 || setegid(0) < 0)
		fail("socketpair");
}

static _Noreturn void execute(const struct passwd *user, char **words, int fd)
{
	char number[64];

	for (char **word = words; *word; word++) {
		char *mark = strstr(*word, "{fd}");

		if (!mark)
			continue;
		snprintf(number, sizeof(number), "%.*s%d", (int)(mark - *word), *word, fd);
		*word = number;
	}
	if (setgid(user->pw_gid) < 0 || setuid(user->pw_uid) < 0)
		fail(user->pw_name);
	execv(*words, words);
	fail(*words);
	_exit(125);
}

static int receive(int sock)
{
	const struct received received = receive_message(sock, 0);

	return received.bytes == 1 && received.count ? fcntl(received.fds[0], F_DUPFD, 0) : -1; /* for what is run */
}

/* The helper's tap; does not return if there is none. */
static int ask(const char *name, char **words)
{
	const struct passwd *user = getpwnam(name);
	int pair[2], status, fd;
	pid_t child;

	if (!user)
		fail(name);
	make_pair(user, pair);
	child = fork();
	if (child < 0)
		fail("fork");
	if (child == 0) {
		close(pair[0]);
		execute(user, words, pair[1]);
	}
	close(pair[1]);
	fd = receive(pair[0]);
	if (waitpid(child, &status, 0) != child)
		fail("waitpid");
	if (fd < 0)
		exit(WIFEXITED(status) && WEXITSTATUS(status) ? WEXITSTATUS(status) : 125);
	return fd;
}

static int make_card(const char *namespace, const char *name)
{
	struct ifreq card = {.ifr_flags = IFF_TAP | IFF_NO_PI};
	char path[128];
	int space, fd;

	snprintf(path, sizeof(path), "/run/netns/%s", namespace);
	space = open(path, O_RDONLY | O_CLOEXEC);
	if (space < 0 || setns(space, CLONE_NEWNET) < 0)
		fail(path);
	close(space);
	fd = open("/dev/net/tun", O_RDWR);
	snprintf(card.ifr_name, sizeof(card.ifr_name), "%s", name);
	if (fd < 0 || ioctl(fd, TUNSETIFF, &card) < 0)
		fail(name);
	return fd;
}

/* A frame that the other side does not take, being down, is lost, as on any wire. */
static void carry(int from, int to)
{
	static char frame[FRAME_MAX];
	ssize_t size = read(from, frame, sizeof(frame));

	if (size > 0)
		(void)!write(to, frame, (size_t)size);
}

int main(int argc, char **argv)
{
	struct ifreq tap = {0};
	struct pollfd ends[2];

	if (argc < 5)
		return fprintf(stderr, "usage: plug USER NAMESPACE CARD COMMAND [ARGUMENT...]\n"), 2;
	ends[0] = (struct pollfd){.fd = ask(argv[1], argv + 4), .events = POLLIN};
	if (ioctl(ends[0].fd, TUNGETIFF, &tap) < 0)
		fail("TUNGETIFF");
	ends[1] = (struct pollfd){.fd = make_card(argv[2], argv[3]), .events = POLLIN};
	puts(tap.ifr_name);
	fflush(stdout);
	while (poll(ends, 2, -1) > 0) {
		if ((ends[0].revents | ends[1].revents) & ~POLLIN)
			return 0; /* a tap was removed */
		for (int i = 0; i < 2; i++) {
			if (ends[i].revents & POLLIN)
				carry(ends[i].fd, ends[1 - i].fd);
		}
	}
	return 0;
}
