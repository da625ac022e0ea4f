// SPDX-License-Identifier: MIT
/*
 * hold: be the command of `tapgate run`, or another one with a tap, and do with it what the kernel lets its holder do.
 *
 *	hold WORD...
 *
 * Words are done one after the other. DESCRIPTORS, as in "5" or "5:7:9", says what those that follow are about, and
 * prints a line for each, "5 tg134-0 5002", with the tap's name and flags by TUNGETIFF; "join=NAME" and
 * "join-multi=NAME" join a tap that exists instead; "name=NAME" and "name-multi=NAME" are for try. Then
 *
 *	persist, forget          make it persistent; no longer
 *	owner=UID, carrier=0|1   as they say
 *	disable                  its queue takes no packets for now
 *	close                    close them
 *	wait                     until standard input ends
 *	squat=BLOCK              take the names by which addresses of that block are reserved
 *	try=N                    N times: join the tap of the name before, which may fail; see that it is there for as
 *	                         long as it is held; let go. Prints how often that worked: "joined 17".
 *
 * The first that fails ends it with status 1, and a line that says what.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { FDS_MAX = 32 };

static int fds[FDS_MAX], count;
static struct ifreq last; /* as it was joined */

static void fail(const char *what)
{
	fprintf(stderr, "hold: %s: %s\n", what, strerror(errno));
	exit(1);
}

static void show(void)
{
	for (int i = 0; i < count; i++) {
		struct ifreq tap = {0};

		if (ioctl(fds[i], TUNGETIFF, &tap) < 0)
			fail("TUNGETIFF");
		printf("%d %s %x\n", fds[i], tap.ifr_name, (unsigned int)(unsigned short)tap.ifr_flags);
	}
}

static void take_list(const char *list)
{
	char *end;

	for (count = 0; count < FDS_MAX; list = end + 1) {
		fds[count++] = (int)strtol(list, &end, 10);
		if (*end != ':')
			break;
	}
	if (*end)
		fail("no list of descriptors");
	show();
}

static int join(void)
{
	struct ifreq tap = last;
	int fd = open("/dev/net/tun", O_RDWR);

	if (fd >= 0 && ioctl(fd, TUNSETIFF, &tap) == 0)
		return fd;
	if (fd >= 0) {
		int error = errno;

		close(fd);
		errno = error;
	}
	return -1;
}

static void name(const char *tap, int flags)
{
	memset(&last, 0, sizeof(last));
	snprintf(last.ifr_name, sizeof(last.ifr_name), "%s", tap);
	last.ifr_flags = (short)(IFF_TAP | IFF_NO_PI | IFF_VNET_HDR | flags);
}

static void join_named(const char *tap, int flags)
{
	name(tap, flags);
	count = 1;
	fds[0] = join();
	if (fds[0] < 0)
		fail(tap);
	show();
}

/* While it is held it is there, by the descriptor and by its name. */
static void try_often(int times)
{
	int joined = 0;
	char path[64];

	snprintf(path, sizeof(path), "/sys/class/net/%.15s", last.ifr_name);
	for (int i = 0; i < times; i++) {
		struct ifreq tap;
		int fd = join();

		if (fd < 0)
			continue;
		joined++;
		for (int look = 0; look < 20; look++) {
			if (ioctl(fd, TUNGETIFF, &tap) < 0 || access(path, F_OK) < 0)
				fail("it vanished while it was held");
		}
		if (ioctl(fd, TUNSETPERSIST, 1UL) < 0)
			fail("TUNSETPERSIST");
		close(fd);
	}
	printf("joined %d\n", joined);
}

static void each(unsigned long request, unsigned long value, const char *what)
{
	for (int i = 0; i < count; i++) {
		if (ioctl(fds[i], request, value) < 0)
			fail(what);
	}
}

static void disable(void)
{
	for (int i = 0; i < count; i++) {
		struct ifreq queue = {.ifr_flags = IFF_DETACH_QUEUE};

		if (ioctl(fds[i], TUNSETQUEUE, &queue) < 0)
			fail("TUNSETQUEUE");
	}
}

static void set_carrier(const char *value)
{
	int carrier = atoi(value);

	for (int i = 0; i < count; i++) {
		if (ioctl(fds[i], TUNSETCARRIER, &carrier) < 0)
			fail("TUNSETCARRIER");
	}
}

static void wait_for_end(void)
{
	char byte;

	fflush(stdout);
	while (read(STDIN_FILENO, &byte, 1) > 0)
		;
}

static void squat(const char *block)
{
	for (int octet = 1; octet < 256; octet++) {
		struct sockaddr_un address = {.sun_family = AF_UNIX};
		int size =
			snprintf(address.sun_path + 1, sizeof(address.sun_path) - 1, "tapgate/%s:%02x", block, octet);

		if (bind(socket(AF_UNIX, SOCK_STREAM, 0), (struct sockaddr *)&address,
			    (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + (size_t)size)) < 0)
			fail("bind");
	}
}

static void do_word(const char *word)
{
	const char *mark = strchr(word, '=');
	const char *value = mark ? mark + 1 : "";

	if (*word >= '0' && *word <= '9')
		take_list(word);
	else if (strncmp(word, "join=", 5) == 0)
		join_named(value, 0);
	else if (strncmp(word, "join-multi=", 11) == 0)
		join_named(value, IFF_MULTI_QUEUE);
	else if (strncmp(word, "name=", 5) == 0)
		name(value, 0);
	else if (strncmp(word, "name-multi=", 11) == 0)
		name(value, IFF_MULTI_QUEUE);
	else if (strcmp(word, "persist") == 0)
		each(TUNSETPERSIST, 1, word);
	else if (strcmp(word, "forget") == 0)
		each(TUNSETPERSIST, 0, word);
	else if (strncmp(word, "owner=", 6) == 0)
		each(TUNSETOWNER, strtoul(value, NULL, 10), word);
	else if (strncmp(word, "carrier=", 8) == 0)
		set_carrier(value);
	else if (strcmp(word, "disable") == 0)
		disable();
	else if (strcmp(word, "wait") == 0)
		wait_for_end();
	else if (strncmp(word, "squat=", 6) == 0)
		squat(value);
	else if (strncmp(word, "try=", 4) == 0)
		try_often(atoi(value));
	else if (strcmp(word, "close") == 0)
		while (count > 0)
			close(fds[--count]);
	else
		fail(word);
}

int main(int argc, char **argv)
{
	for (int i = 1; i < argc; i++)
		do_word(argv[i]);
	return 0;
}
