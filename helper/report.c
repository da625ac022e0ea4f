// SPDX-License-Identifier: MIT
/* What is told when all is over: a line to the log, a line to whoever asked. Both never wait long for a reader. */
#include "helper/helper.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <syslog.h>
#include <unistd.h>

#include "policy/text.h"

#define IDENT "tapgate-helper"

enum {
	LOG_PATIENCE = 200000, /* microseconds for a log whose queue is full */
	ERROR_PATIENCE = 1000, /* milliseconds for a standard error that does not take a line */
	READER_PATIENCE = 200, /* milliseconds for the reader of a pipe to take the line out of it */
	TEXT_MAX = 1800,       /* bytes of a line's text: nothing is cut that is not mostly escapes */
};

/*
 * syslog(3) is no use in the last sandbox: it reads the time zone, connects anew when it likes, and waits for ever.
 * What the daemon wants is one datagram, "<priority>ident[pid]: text" (RFC 3164, section 4.1; local daemons add the
 * time).
 */
bool report_open_log(struct order *order, struct outcome *outcome)
{
	const struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = "/dev/log"};
	const struct timeval patience = {.tv_usec = LOG_PATIENCE};
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	/* Out of the way of the number that the peer's socket gets. */
	order->log = fd < 0 ? -1 : fcntl(fd, F_DUPFD_CLOEXEC, FD_LOG);
	if (order->log < 0)
		return refuse_errno(outcome, errno == EINVAL ? EMFILE : errno, "cannot have a socket for the log");
	close(fd);
	if (setsockopt(order->log, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience)) < 0)
		return refuse_errno(outcome, errno, "cannot limit the time that the log may take");
	/* Nobody listens there, or by streams alone: then there is no log. */
	return connect(order->log, (const struct sockaddr *)&address, sizeof(address)) == 0 || errno == ENOENT ||
	       errno == ECONNREFUSED || errno == EPROTOTYPE || order->incapable ||
	       refuse_errno(outcome, errno, "cannot reach the log");
}

static bool send_log(const struct order *order, int priority, const char *text)
{
	char line[TEXT_MAX + 64] = "";

	text_append(line, sizeof(line), "<%d>" IDENT "[%d]: %s", LOG_AUTHPRIV | priority, (int)order->helper, text);
	return send(FD_LOG, line, strlen(line), MSG_NOSIGNAL) >= 0;
}

/*
 * The fields that both lines begin with, behind the word that says which it is. tapgate-helper(8) promises names and
 * escapes; `tapgate log` reads them (cli/log.c). Every value goes through field_append(), also those that are
 * numbers or have been checked: what is in a value cannot end it.
 */
static void describe(char *text, size_t size, const char *what, const struct order *order)
{
	text_append(text, size, "%s", what);
	field_append_number(text, size, "uid", order->caller.uid);
	if (order->served)
		field_append(text, size, "way", "socket");
	if (order->request.network[0])
		field_append(text, size, "net", order->request.network);
	if (order->vmm)
		field_append_number(text, size, "vmm", (unsigned long)order->vmm);
}

/* The log's own doing: it never listened, does not any more, or takes nothing for a while. */
static bool is_of_log(int error)
{
	return error == ENOTCONN || error == ECONNREFUSED || error == ECONNRESET || error == EPIPE || error == EAGAIN ||
	       error == EDESTADDRREQ;
}

bool report_grant(const struct order *order, const struct port *port, struct outcome *outcome)
{
	char text[TEXT_MAX] = "";

	describe(text, sizeof(text), "granted", order);
	field_append(text, sizeof(text), "tap", port->name);
	field_append(text, sizeof(text), "rule", order->permit.rule);
	return send_log(order, LOG_INFO, text) || is_of_log(errno) ||
	       refuse_errno(outcome, errno, "cannot log that a tap is handed over");
}

/*
 * Wait until a pipe has been read empty or nobody reads it any more, but not for long. Who started the helper may take
 * the end of the socket for the end of all: libvirt reads standard error in a thread, and shows what that has read when
 * the socket closes (qemuCreateInBridgePortWithHelper in its src/qemu/qemu_interface.c). So the socket stays open until
 * the line has been read. Only a pipe can be asked for what is unread (FIONREAD, at either end; pipe_ioctl in
 * fs/pipe.c); F_GETPIPE_SZ fails for all else, and asks no driver and no file system.
 */
static void wait_for_reader(int fd)
{
	struct pollfd closed = {.fd = fd}; /* POLLERR alone, when the reader has gone */
	int left = 0;

	if (fcntl(fd, F_GETPIPE_SZ) < 0)
		return;
	for (int waited = 0; waited < READER_PATIENCE; waited++) {
		if (ioctl(fd, FIONREAD, &left) < 0 || left == 0 || poll(&closed, 1, 1) != 0)
			return;
	}
}

/* A full pipe or a stopped terminal must not hold the helper: text is written if it can be taken soon. */
void report_pass_on(const char *text, size_t size)
{
	struct pollfd ready = {.fd = FD_ERROR, .events = POLLOUT};

	/* Where poll fails (its user can lower RLIMIT_NOFILE) the timer bounds the write. */
	if (poll(&ready, 1, ERROR_PATIENCE) != 0 && write(FD_ERROR, text, size) > 0)
		wait_for_reader(FD_ERROR);
}

static void write_error(const char *text)
{
	char line[1024] = "";

	text_append(line, sizeof(line), IDENT ": %s\n", text);
	report_pass_on(line, strlen(line));
}

void report_refusal(const struct order *order, const struct outcome *outcome)
{
	char text[TEXT_MAX] = "";

	describe(text, sizeof(text), "refused", order);
	field_append_number(text, sizeof(text), "code", outcome->code);
	if (order->permit.rule[0])
		field_append(text, sizeof(text), "rule", order->permit.rule);
	field_append(text, sizeof(text), "why", outcome->text);
	send_log(order, LOG_NOTICE, text);
	write_error(outcome->text);
}
