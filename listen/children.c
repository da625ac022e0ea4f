// SPDX-License-Identifier: MIT
/*
 * The children of the service's door: helpers, and those that close what was turned away.
 *
 * Descriptors that came by a connection, and that nobody took, are closed when the connection is. That can wait for who
 * sent them, even for ever: for the time of SO_LINGER (socket(7)); for a pipe in which a write waits for memory that a
 * file system of a user's serves. So the door closes no connection in which there is a descriptor. A child does: the
 * helper that serves it or, if it was turned away, one that closes all such of its user and counts as the user's.
 * While the user may have none more they are held here; one child beyond those closes the most when there is no room.
 * How many descriptors one user can have on the way is the kernel's to say (ETOOMANYREFS, sendmsg(2)).
 */
#include "listen/listen.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
	SERVED_MAX = 128,
	SERVED_OF_ONE = 32, /* of one user */
	HELD_MAX = 32768,
	CLOSERS_MAX = 24,
};

struct served {
	uid_t user;
	pid_t pid;
};

/* A connection that was turned away, and that a child has to close. */
struct held {
	uid_t user;
	int sock;
};

static struct served served[SERVED_MAX];
static struct held held[HELD_MAX]; /* of each user side by side */
static size_t served_count, held_count;
static unsigned int closers; /* children beyond the served, for want of room */

unsigned int children_count(uid_t user)
{
	unsigned int count = 0;

	for (size_t i = 0; i < served_count; i++)
		count += served[i].user == user;
	return count;
}

bool children_may_serve(uid_t user)
{
	return served_count < SERVED_MAX && children_count(user) < SERVED_OF_ONE;
}

/* Start a child and wait until it says that it has the descriptors it needs, and no others. 0: it is the child. */
static pid_t start_child(void)
{
	int ends[2];
	pid_t pid = -1;

	spare_free();
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0)
		pid = fork();
	if (pid == 0) {
		close(FD_OF_DOOR);
		return 0;
	}
	dup3(FD_PEER, FD_OF_CHILD, O_CLOEXEC);
	if (pid > 0 && read(FD_OF_DOOR, &(char){0}, 1) != 1) {
		waitpid(pid, NULL, 0);
		errno = EAGAIN;
		pid = -1;
	}
	return pid;
}

/* In the child: it has them, and goes on when the door has them no more. */
static void take_over(void)
{
	char byte = 0;

	if (write(FD_OF_CHILD, &byte, 1) != 1)
		_exit(EXIT_SYSTEM);
	while (read(FD_OF_CHILD, &byte, 1) < 0 && errno == EINTR)
		;
}

static _Noreturn void be_helper(const struct peer *peer, char *program)
{
	char serve[] = SERVICE_WORD, *const words[] = {program, serve, NULL}, *const environment[] = {NULL};
	struct outcome outcome = {.code = EXIT_SENT};

	if (dup3(peer->sock, STDIN_FILENO, 0) < 0 || !close_descriptors(FD_OF_CHILD + 1, ~0U))
		_exit(EXIT_SYSTEM);
	take_over();
	execve(program, words, environment);
	refuse_errno(&outcome, errno, "cannot start a process that serves");
	tell(&(struct peer){.uid = peer->uid, .sock = STDIN_FILENO}, &outcome);
	_exit(EXIT_SYSTEM);
}

bool children_serve(const struct peer *peer, char *program)
{
	const pid_t pid = start_child();
	const int error = errno;

	if (pid == 0)
		be_helper(peer, program);
	if (pid > 0) {
		served[served_count++] = (struct served){.user = peer->user, .pid = pid};
		close(peer->sock);
	}
	dup3(FD_PEER, FD_OF_DOOR, O_CLOEXEC);
	errno = error;
	return pid > 0;
}

static int compare_held(const void *one, const void *other)
{
	return ((const struct held *)one)->sock - ((const struct held *)other)->sock;
}

/* Of the door's descriptors it keeps those that are held of a user; by its end they are closed. */
static _Noreturn void be_closer(uid_t user)
{
	int next = FD_OF_CHILD + 1;

	close(STDIN_FILENO);
	qsort(held, held_count, sizeof(*held), compare_held);
	for (size_t i = 0; i < held_count; i++) {
		if (held[i].user != user)
			continue;
		if (held[i].sock > next && !close_descriptors((unsigned int)next, (unsigned int)held[i].sock - 1))
			_exit(EXIT_SYSTEM);
		next = held[i].sock + 1;
	}
	if (!close_descriptors((unsigned int)next, ~0U))
		_exit(EXIT_SYSTEM);
	take_over();
	_exit(EXIT_SENT);
}

/* Have all that are held of a user closed by a child. 0: there is none. */
static pid_t have_closed(uid_t user)
{
	const pid_t pid = start_child();
	size_t left = 0;

	if (pid == 0)
		be_closer(user);
	for (size_t i = 0; pid > 0 && i < held_count; i++) {
		if (held[i].user == user)
			close(held[i].sock);
		else
			held[left++] = held[i];
	}
	if (pid > 0)
		held_count = left;
	dup3(FD_PEER, FD_OF_DOOR, O_CLOEXEC);
	return pid > 0 ? pid : 0;
}

/*
 * Whether a descriptor is in a connection, or may be; nothing comes into it any more. All that is there is looked at,
 * from skb to skb (SO_PEEK_OFF, socket(7)), urgent bytes too: a descriptor without room for it is MSG_CTRUNC.
 */
static bool holds_descriptors(int sock)
{
	static char bytes[1 << 16];
	struct iovec into = {bytes, sizeof(bytes)};
	const int start = 0, with_urgent = 1;
	int left = 0;

	if (shutdown(sock, SHUT_RD) < 0 || ioctl(sock, FIONREAD, &left) < 0 ||
		setsockopt(sock, SOL_SOCKET, SO_OOBINLINE, &with_urgent, sizeof(with_urgent)) < 0 ||
		setsockopt(sock, SOL_SOCKET, SO_PEEK_OFF, &start, sizeof(start)) < 0)
		return true;
	/* Not one look more: behind it is the error of a peer that left unread what it was told (ECONNRESET). */
	while (left > 0) {
		struct msghdr message = {.msg_iov = &into, .msg_iovlen = 1};
		const ssize_t got = recvmsg(sock, &message, MSG_PEEK | MSG_DONTWAIT);

		if (got <= 0 || message.msg_flags & MSG_CTRUNC)
			return true;
		left -= (int)got;
	}
	return left != 0;
}

bool children_close(const struct peer *peer)
{
	const bool holds = holds_descriptors(peer->sock);
	size_t at = held_count;

	if (!holds) {
		close(peer->sock);
		return true;
	}
	for (; at > 0 && held[at - 1].user > peer->user; at--)
		held[at] = held[at - 1];
	held[at] = (struct held){.user = peer->user, .sock = peer->sock};
	held_count++;
	return false;
}

/* Make room among the held: have those of the user who has the most closed. False: no child can be had. */
bool children_make_room(void)
{
	size_t most = 0, first = 0;
	uid_t user = 0;

	for (size_t i = 0; i < held_count; i++) {
		if (held[i].user != held[first].user)
			first = i;
		if (i - first >= most) {
			user = held[i].user;
			most = i - first + 1;
		}
	}
	if (most == 0 || closers == CLOSERS_MAX || have_closed(user) == 0)
		return false;
	closers++;
	return true;
}

bool children_have_room(void)
{
	return held_count < HELD_MAX || children_make_room();
}

/* Close what is held of those who may have a process. */
static void close_held(void)
{
	for (size_t i = 0; i < held_count;) {
		const uid_t user = held[i].user;
		const pid_t pid = children_may_serve(user) ? have_closed(user) : 0;

		if (pid)
			served[served_count++] = (struct served){.user = user, .pid = pid};
		while (i < held_count && held[i].user == user)
			i++;
	}
}

static void forget_the_ended(void)
{
	pid_t ended;

	while ((ended = waitpid(-1, NULL, WNOHANG)) > 0) {
		size_t which = 0;

		while (which < served_count && served[which].pid != ended)
			which++;
		if (which < served_count)
			served[which] = served[--served_count];
		else if (closers > 0) /* none of whoever was this process before it was the door */
			closers--;
	}
}

void children_go_on(void)
{
	forget_the_ended();
	close_held();
}

bool children_left(void)
{
	return served_count || held_count || closers;
}
