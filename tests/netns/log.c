// SPDX-License-Identifier: MIT
/* The log of the world: a socket at /dev/log, and the lines that came by it. */
#include "tests/netns/internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

enum { LOG_LINES_MAX = 512 };

static int log_socket = -1;
static char *log_lines[LOG_LINES_MAX];
static size_t log_count;

void open_log(void)
{
	const struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = "/dev/log"};
	const mode_t mask = umask(0);

	unlink("/dev/log");
	log_socket = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	must(log_socket >= 0 && bind(log_socket, (const struct sockaddr *)&address, sizeof(address)) == 0, "/dev/log");
	umask(mask);
}

bool by_socket(void)
{
	return getenv("BY_SOCKET") != NULL;
}

void by_setuid_alone(void)
{
	if (by_socket())
		skip();
}

static void read_log(void)
{
	char line[2048];
	ssize_t size;

	while ((size = recv(log_socket, line, sizeof(line) - 1, 0)) >= 0) {
		assert_true(log_count < LOG_LINES_MAX);
		line[size] = '\0';
		if (strlen(line) != (size_t)size)
			fail_msg("a NUL in the log line '%s'", line);
		log_lines[log_count++] = strdup(line);
	}
}

void forget_log(void)
{
	read_log();
	while (log_count > 0)
		free(log_lines[--log_count]);
}

void take_log(pid_t pid, char *text, size_t size)
{
	char ident[64];
	size_t used = 0, kept = 0;

	read_log();
	text[0] = '\0';
	snprintf(ident, sizeof(ident), ">tapgate-helper[%d]: ", (int)pid);
	for (size_t i = 0; i < log_count; i++) {
		if (pid && !strstr(log_lines[i], ident) && !(by_socket() && strstr(log_lines[i], " way=socket "))) {
			log_lines[kept++] = log_lines[i];
			continue;
		}
		used += (size_t)snprintf(text + used, size - used, "%s\n", log_lines[i]);
		assert_true(used < size);
		free(log_lines[i]);
	}
	log_count = kept;
}

void close_log(void)
{
	forget_log();
	close(log_socket);
}

/* The log is opened before anything else that stays open. */
void close_behind_log(void)
{
	close_range((unsigned int)log_socket + 1, ~0U, 0);
}
