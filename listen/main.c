// SPDX-License-Identifier: MIT
/*
 * tapgate-listen HELPER: the service's door, a program of its own without any privilege that it was not started with.
 * It accepts connections by the socket on descriptor 0 and starts a helper for each (`HELPER --serve` on descriptor 0),
 * as inetd does. It takes nothing that a peer wrote, and holds no tap. systemd has the same (Accept=yes,
 * systemd.socket(5)) and takes some 40 ms for each connection, where a setuid helper takes 2.
 *
 * What one user can do to others is settled here. Who has said nothing yet has a descriptor and no process. Where too
 * many wait, the oldest of whoever has the most waiting goes. Of one user only so many are served at once, and who has
 * fewest at work is served first; the others wait meanwhile. Who a user is, says the kernel (SO_PEERCRED, unix(7)).
 */
#include "listen/listen.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
	WAITING_MAX = 512,
	SILENCE_MAX = 1000, /* milliseconds from the connection to the request */
	PATIENCE = 10000,   /* and to the process that serves it */
	IDLE_MAX = 30000,   /* without a connection: then it ends, and the service manager listens */
	PAUSE = 100,	    /* where the system has no descriptor for who connects */
};

/* All subordinate ids (subuid(5)) are one user here, as one user can be many of them. */
static const uid_t subordinate = (uid_t)-1;

struct waiting {
	struct peer peer;
	bool spoke;    /* there is something in it */
	int64_t since; /* milliseconds; long ago, if it has gone */
};

static struct waiting waiting[WAITING_MAX + 1]; /* the oldest first */
static size_t waiting_count;

static unsigned int count_waiting(uid_t user)
{
	unsigned int count = 0;

	for (size_t i = 0; i < waiting_count; i++)
		count += waiting[i].peer.user == user;
	return count;
}

static void forget_waiting(size_t which)
{
	memmove(&waiting[which], &waiting[which + 1], (--waiting_count - which) * sizeof(*waiting));
}

/* "uid 1000", up to the next call. */
static const char *name_of(const struct peer *peer)
{
	static char name[32];

	if (peer->user == subordinate)
		return "subordinate ids";
	snprintf(name, sizeof(name), "uid %u", peer->uid);
	return name;
}

/* --- who waits ---------------------------------------------------------------------------------------------------- */

/*
 * Tell one that waits, and forget it; it stays where there is no room for what a child has to close. True: a descriptor
 * is free by that.
 */
static bool turn_away(size_t which, const struct outcome *outcome)
{
	const struct peer peer = waiting[which].peer;

	if (!children_have_room())
		return false;
	tell(&peer, outcome);
	forget_waiting(which);
	return children_close(&peer);
}

/* Likewise, the oldest of the user who has the most of them waiting. */
static bool turn_one_away(void)
{
	struct outcome outcome = {.code = EXIT_SENT};
	unsigned int most = 0;
	size_t which = 0;

	for (size_t i = 0; i < waiting_count; i++) {
		const unsigned int count = count_waiting(waiting[i].peer.user);

		if (count > most) {
			which = i;
			most = count;
		}
	}
	refuse(&outcome, EXIT_SYSTEM, "too many connections wait for the service, most of them of %s; try again",
		name_of(&waiting[which].peer));
	return turn_away(which, &outcome);
}

/* False: nothing is accepted any more. */
static bool accept_one(void)
{
	struct ucred who = {.pid = 0, .uid = (uid_t)-1, .gid = (gid_t)-1};
	socklen_t size = sizeof(who);
	struct outcome unlisted = {.code = EXIT_SENT};
	struct peer peer = {.user = subordinate, .sock = accept4(STDIN_FILENO, NULL, NULL, SOCK_CLOEXEC)};

	if (peer.sock < 0 && (errno == EMFILE || errno == ENFILE || errno == ENOMEM || errno == ENOBUFS)) {
		if (!(waiting_count && turn_one_away()) && !children_make_room())
			poll(NULL, 0, PAUSE); /* were this its end, a service manager would soon start it no more */
		return true;
	}
	if (peer.sock < 0)
		return errno == EAGAIN || errno == EINTR || errno == ECONNABORTED;
	getsockopt(peer.sock, SOL_SOCKET, SO_PEERCRED, &who, &size);
	peer.uid = who.uid;
	spare_free();
	if (peer.uid == 0 || subids_exclude(peer.uid, &unlisted))
		peer.user = peer.uid;
	spare_keep();
	waiting[waiting_count++] = (struct waiting){.peer = peer, .since = milliseconds()};
	if (waiting_count > WAITING_MAX)
		turn_one_away();
	return true;
}

/* All who have connected, up to who is too many, before a process is started for one. */
static bool accept_all(struct pollfd *listener)
{
	size_t before;

	do {
		before = waiting_count;
		if (!accept_one())
			return false;
	} while (waiting_count > before && poll(listener, 1, 0) == 1);
	return true;
}

static bool is_late(const struct waiting *one)
{
	return milliseconds() - one->since > (one->spoke ? PATIENCE : SILENCE_MAX);
}

/* The oldest of those who have spoken and may be served, of the user who has the fewest at work; none: their count. */
static size_t next_to_serve(void)
{
	unsigned int fewest = ~0U;
	size_t next = waiting_count;

	for (size_t i = 0; i < waiting_count; i++) {
		const uid_t user = waiting[i].peer.user;

		if (waiting[i].spoke && children_may_serve(user) && children_count(user) < fewest) {
			fewest = children_count(user);
			next = i;
		}
	}
	return next;
}

/* Serve one, so that whoever has connected meanwhile is looked at before the next. False: there is none, or errno. */
static bool serve_one(char *program)
{
	const size_t next = next_to_serve();

	errno = 0;
	if (next == waiting_count || !children_serve(&waiting[next].peer, program))
		return false;
	forget_waiting(next);
	return true;
}

/* Turn away who waited too long: for want of a word or of a place among the served, or as no process can be had. */
static void turn_late_away(int error)
{
	for (size_t i = 0; i < waiting_count;) {
		const struct waiting one = waiting[i];
		const bool may = one.spoke && children_may_serve(one.peer.user);
		const size_t count = waiting_count;
		struct outcome outcome = {.code = EXIT_SENT};

		if (!is_late(&one) || (may && !error)) {
			i++;
			continue;
		}
		if (may)
			refuse_errno(&outcome, error, "cannot start a process that serves");
		else if (one.spoke)
			refuse(&outcome, EXIT_SYSTEM, "too many requests are at work, %u of them of %s; try again",
				children_count(one.peer.user), name_of(&one.peer));
		else
			refuse(&outcome, EXIT_SYSTEM, "no request came by the socket");
		turn_away(i, &outcome);
		i += waiting_count == count;
	}
}

/* Whoever has gone without a word has had its time: no process is started for that. */
static void hear(struct waiting *one)
{
	int bytes = 0;

	one->spoke = ioctl(one->peer.sock, FIONREAD, &bytes) < 0 || bytes > 0;
	if (!one->spoke)
		one->since = milliseconds() - SILENCE_MAX - 1;
}

/*
 * Wait until somebody connects or speaks, a helper has ended, or a patience has; or look who did, and wait for none.
 * False: nothing goes on any more.
 */
static bool wait_for_any(const sigset_t *signals, bool look)
{
	static struct pollfd ready[1 + sizeof(waiting) / sizeof(*waiting)];
	const int64_t patience = look ? 0 : waiting_count ? SILENCE_MAX / 4 : IDLE_MAX;
	const struct timespec time = {(time_t)(patience / 1000), (long)(patience % 1000 * 1000000)};
	const size_t count = waiting_count;
	int events;

	ready[0] = (struct pollfd){.fd = count > WAITING_MAX ? -1 : STDIN_FILENO, .events = POLLIN};
	for (size_t i = 0; i < count; i++) { /* who is late, and gone, is still there for want of room alone */
		const bool is_heard = waiting[i].spoke || is_late(&waiting[i]);

		ready[i + 1] = (struct pollfd){.fd = is_heard ? -1 : waiting[i].peer.sock, .events = POLLIN};
	}
	events = ppoll(ready, count + 1, &time, signals);
	for (size_t i = 0; i < count && events > 0; i++) {
		if (ready[i + 1].revents)
			hear(&waiting[i]);
	}
	if (events > 0 && ready[0].revents && !accept_all(&ready[0]))
		return false;
	return events != 0 || waiting_count || children_left();
}

static void note_end(int signal)
{
	(void)signal; /* ppoll is interrupted: that is all */
}

static bool is_listening(void)
{
	int value = 0;
	socklen_t size = sizeof(value);

	return getsockopt(STDIN_FILENO, SOL_SOCKET, SO_ACCEPTCONN, &value, &size) == 0 && value;
}

/* None of a peer's gets the number of the log's, or of the error that is told a peer. */
static bool reserve_descriptors(void)
{
	bool reserved = close_descriptors(FD_ERROR + 1, ~0U) && open("/dev/null", O_RDWR | O_CLOEXEC) == FD_PEER;

	for (int number = FD_LOG; number <= FD_OF_CHILD; number++)
		reserved = reserved && dup3(FD_PEER, number, O_CLOEXEC) >= 0;
	return reserved && dup3(FD_PEER, STDOUT_FILENO, 0) >= 0 && dup3(FD_PEER, FD_ERROR, 0) >= 0;
}

static void listen_for(char *program)
{
	const struct sigaction ended = {.sa_handler = note_end};
	sigset_t before, children;
	bool served = false;

	sigemptyset(&children);
	sigaddset(&children, SIGCHLD);
	sigprocmask(SIG_BLOCK, &children, &before);
	sigaction(SIGCHLD, &ended, NULL);
	while (wait_for_any(&before, served)) {
		children_go_on();
		served = serve_one(program);
		turn_late_away(served ? 0 : errno);
	}
}

int main(int argc, char **argv)
{
	struct outcome outcome = {.code = EXIT_SENT};

	if (argc != 2 || !is_listening()) {
		dprintf(FD_ERROR,
			"tapgate-listen: expected the helper's path, and a socket that listens on standard input; it is for service managers, see tapgate-helper.socket\n");
		return EXIT_USAGE;
	}
	if (!state_make_known(&outcome) || !reserve_descriptors())
		return EXIT_SYSTEM;
	listen_for(argv[1]);
	return EXIT_SENT;
}
