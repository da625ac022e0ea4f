// SPDX-License-Identifier: MIT
/*
 * stub: the helper's part, played for `tapgate run`. Run by root, as it makes taps itself.
 *
 *	stub [--use-vnet] --net=NAME --fd=N [--mac=ADDR] [--queues=N]
 *
 * Writes its words as a line to the file that STUB_WORDS names, sends descriptors as the environment says, and ends:
 *
 *	STUB_SEND    tap (or nothing): of a new tap, NAME, one for each queue; null: of /dev/null; none
 *	STUB_COUNT   so many of them, whatever --queues says
 *	STUB_DO      a shell command to run when they are sent
 *	STUB_END     an exit code, or "kill": by a signal
 */
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

enum { FDS_MAX = 64 };

static void fail(const char *what)
{
	perror(what);
	exit(99);
}

static const char *setting(const char *name, const char *otherwise)
{
	const char *value = getenv(name);

	return value && *value ? value : otherwise;
}

static const char *value_of(char **words, const char *option)
{
	for (; *words; words++) {
		if (strncmp(*words, option, strlen(option)) == 0)
			return *words + strlen(option);
	}
	return NULL;
}

static void note(char **words)
{
	FILE *file = fopen(setting("STUB_WORDS", "/dev/null"), "a");

	if (!file)
		fail("STUB_WORDS");
	for (; *words; words++)
		fprintf(file, "%s%s", *words, words[1] ? " " : "\n");
	fclose(file);
}

static int open_queue(const char *name, bool multi)
{
	struct ifreq tap = {.ifr_flags = (short)(IFF_TAP | IFF_NO_PI | IFF_VNET_HDR | (multi ? IFF_MULTI_QUEUE : 0))};
	int fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC);

	snprintf(tap.ifr_name, sizeof(tap.ifr_name), "%s", name);
	if (fd < 0 || ioctl(fd, TUNSETIFF, &tap) < 0)
		fail(name);
	return fd;
}

static void send_all(int sock, const int *fds, size_t count)
{
	union {
		char space[CMSG_SPACE(FDS_MAX * sizeof(int))];
		struct cmsghdr align;
	} control = {{0}};
	char byte = 0;
	struct iovec data = {&byte, 1};
	struct msghdr message = {.msg_iov = &data, .msg_iovlen = 1};
	struct cmsghdr *rights;

	if (count) {
		message.msg_control = control.space;
		message.msg_controllen = CMSG_SPACE(count * sizeof(int));
		rights = CMSG_FIRSTHDR(&message);
		rights->cmsg_level = SOL_SOCKET;
		rights->cmsg_type = SCM_RIGHTS;
		rights->cmsg_len = CMSG_LEN(count * sizeof(int));
		memcpy(CMSG_DATA(rights), fds, count * sizeof(int));
	}
	if (sendmsg(sock, &message, 0) != 1)
		fail("sendmsg");
}

int main(int argc, char **argv)
{
	const char *queues = value_of(argv, "--queues="), *name = value_of(argv, "--net="),
		   *fd = value_of(argv, "--fd=");
	const char *what = setting("STUB_SEND", "tap"), *end = setting("STUB_END", "0");
	const bool several = queues && strcmp(queues, "1") != 0;
	size_t count = (size_t)atoi(setting("STUB_COUNT", queues ? queues : "1"));
	int fds[FDS_MAX];

	if (argc < 3 || !name || !fd || count > FDS_MAX)
		fail("words");
	note(argv + 1);
	for (size_t i = 0; i < count; i++)
		fds[i] = strcmp(what, "tap") == 0 ? open_queue(name, several) : open("/dev/null", O_RDWR);
	if (strcmp(what, "none") != 0)
		send_all(atoi(fd), fds, count);
	if (system(setting("STUB_DO", "true")) != 0)
		fail("STUB_DO");
	if (strcmp(end, "kill") == 0)
		raise(SIGKILL);
	return atoi(end);
}
