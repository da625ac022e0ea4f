// SPDX-License-Identifier: MIT
/*
 * tapgate-listen HELPER: the service's door, a program of its own without any privilege that it was not started with.
 * It accepts connections by the socket on descriptor 0 and starts a helper for each (`HELPER --serve` on descriptor 0),
 * as inetd does. It reads nothing that a peer wrote, and holds no tap. systemd has the same (Accept=yes,
 * systemd.socket(5)) and takes some 40 ms for each connection, where a setuid helper takes 2.
 *
 * What one user can do to others is settled here. Who has said nothing yet has a descriptor and no process. Where too
 * many wait, the oldest of whoever has the most waiting goes. Of one user only so many are served at once; the others
 * wait meanwhile. Who a user is, says the kernel (SO_PEERCRED, unix(7)).
 *
 * Descriptors that came by a connection, and that nobody took, are closed when the connection is. That can wait for who
 * sent them, even for ever: for the time of SO_LINGER (socket(7)); for a pipe in which a write waits for memory that a
 * file system of a user's serves. So the door closes no connection in which there is something. A child of its own
 * does, which serves it or, if it was turned away, does nothing else; it counts as one of its user's.
 */
#include "helper/helper.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
	WAITING_MAX = 512,
	SERVED_MAX = 128,
	SERVED_OF_ONE = 32, /* of one user */
	SILENCE_MAX = 1000, /* milliseconds from the connection to the request */
	PATIENCE = 10000,   /* and to the process that serves it */
	IDLE_MAX = 30000,   /* without a connection: then it ends, and the service manager listens */
	PAUSE = 100,	    /* where the system has no descriptor for who connects */
	LINES_APART = 1000, /* between two lines in the log: what is refused here must not cost others their time */
};

/* Kept for the pair of sockets between the door and a child, so that there is one when nothing else is to be had. */
enum { FD_OF_DOOR = FD_LOG + 1, FD_OF_CHILD };

/* All subordinate ids (subuid(5)) are one user here, as one user can be many of them. */
static const uid_t subordinate = (uid_t)-1;

struct waiting {
	uid_t uid, user; /* who connected, and as whom it counts */
	int sock;
	bool spoke;    /* there is something in it */
	bool told;     /* that it is not served: it waits for who closes it */
	int64_t since; /* milliseconds; long ago, if it has gone */
};

struct served {
	uid_t user;
	pid_t pid;
};

static struct waiting waiting[WAITING_MAX + 1]; /* the oldest first */
static struct served served[SERVED_MAX];
static size_t waiting_count, served_count;
static bool has_lost; /* connections that nobody could close are open still */

static int64_t now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (int64_t)time.tv_sec * 1000 + time.tv_nsec / 1000000;
}

static unsigned int count_waiting(uid_t user)
{
	unsigned int count = 0;

	for (size_t i = 0; i < waiting_count; i++)
		count += waiting[i].user == user;
	return count;
}

static unsigned int count_served(uid_t user)
{
	unsigned int count = 0;

	for (size_t i = 0; i < served_count; i++)
		count += served[i].user == user;
	return count;
}

static void forget_waiting(size_t which)
{
	memmove(&waiting[which], &waiting[which + 1], (--waiting_count - which) * sizeof(*waiting));
}

/* Whether nothing is in a connection, nor can be any more: nobody waits for the end of that. */
static bool is_empty(int sock)
{
	int bytes = 0;

	return shutdown(sock, SHUT_RD) == 0 && ioctl(sock, FIONREAD, &bytes) == 0 && bytes == 0;
}

/* Tell a peer why it is not served: by its connection, which ends with that, and in the log. */
static void tell(int sock, uid_t uid, const struct outcome *outcome)
{
	static int64_t last = -LINES_APART;
	struct order order = {.caller.uid = uid, .served = true, .helper = getpid(), .log = -1};
	struct outcome unlogged = {.code = EXIT_SENT};

	if (now() - last >= LINES_APART && report_open_log(&order, &unlogged)) {
		last = now();
		dup3(order.log, FD_LOG, O_CLOEXEC);
		close(order.log);
	}
	if (dup3(sock, FD_ERROR, 0) == FD_ERROR) {
		report_refusal(&order, outcome);
		service_answer((int)outcome->code);
	}
	shutdown(sock, SHUT_WR);
	dup3(FD_PEER, FD_ERROR, 0);
	dup3(FD_PEER, FD_LOG, O_CLOEXEC);
}

/* --- processes ---------------------------------------------------------------------------------------------------- */

/* The child, with no descriptor of another peer's when it says so: it goes on when the door has none of this one's. */
static _Noreturn void be_child(const struct waiting *peer, char *program)
{
	char serve[] = SERVICE_WORD, *const words[] = {program, serve, NULL}, *const environment[] = {NULL};
	struct outcome outcome = {.code = EXIT_SENT};
	char byte = 0;

	if (dup3(peer->sock, STDIN_FILENO, 0) < 0 || !close_descriptors(FD_OF_CHILD + 1, ~0U) ||
		close(FD_OF_DOOR) < 0 || write(FD_OF_CHILD, &byte, 1) != 1)
		_exit(EXIT_SYSTEM);
	while (read(FD_OF_CHILD, &byte, 1) < 0 && errno == EINTR)
		;
	if (!peer->told) {
		execve(program, words, environment);
		refuse_errno(&outcome, errno, "cannot start a process that serves");
		tell(STDIN_FILENO, peer->uid, &outcome);
	}
	_exit(EXIT_SYSTEM);
}

/* Give one that waits to a child, which serves it if it was not told otherwise, and closes it. False: there is none. */
static bool hand_over(size_t which, char *program)
{
	const struct waiting peer = waiting[which];
	int ends[2];
	char byte;
	pid_t pid = -1;

	close(FD_OF_DOOR);
	close(FD_OF_CHILD);
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0)
		pid = fork();
	if (pid == 0)
		be_child(&peer, program);
	dup3(FD_PEER, FD_OF_CHILD, O_CLOEXEC);
	if (pid > 0) {
		(void)!read(FD_OF_DOOR, &byte, 1);
		served[served_count++] = (struct served){.user = peer.user, .pid = pid};
		forget_waiting(which);
		close(peer.sock);
	}
	dup3(FD_PEER, FD_OF_DOOR, O_CLOEXEC);
	return pid > 0;
}

static bool may_have_process(uid_t user)
{
	return served_count < SERVED_MAX && count_served(user) < SERVED_OF_ONE;
}

/* "uid 1000", up to the next call. */
static const char *name_of(const struct waiting *peer)
{
	static char name[32];

	if (peer->user == subordinate)
		return "subordinate ids";
	snprintf(name, sizeof(name), "uid %u", peer->uid);
	return name;
}

/* --- who waits ---------------------------------------------------------------------------------------------------- */

/* Tell one that waits, and forget it, or else it waits for a child to close it. */
static void turn_away(size_t which, const struct outcome *outcome)
{
	struct waiting *peer = &waiting[which];

	tell(peer->sock, peer->uid, outcome);
	peer->told = peer->spoke = true;
	if (is_empty(peer->sock)) {
		close(peer->sock);
		forget_waiting(which);
	}
}

/* The oldest of the user who has the most of them waiting. One that nobody can close stays open, and counts no more. */
static void turn_one_away(void)
{
	struct outcome outcome = {.code = EXIT_SENT};
	const size_t count = waiting_count;
	unsigned int most = 0;
	size_t which = 0;

	for (size_t i = 0; i < waiting_count; i++) {
		const unsigned int count_of_one = count_waiting(waiting[i].user);

		if (count_of_one > most) {
			which = i;
			most = count_of_one;
		}
	}
	refuse(&outcome, EXIT_SYSTEM, "too many connections wait for the service, most of them of %s; try again",
		name_of(&waiting[which]));
	if (!waiting[which].told)
		turn_away(which, &outcome);
	if (waiting_count < count || (may_have_process(waiting[which].user) && hand_over(which, NULL)))
		return;
	has_lost = true;
	forget_waiting(which);
}

/* False: nothing is accepted any more. */
static bool accept_one(void)
{
	struct ucred peer = {.pid = 0, .uid = (uid_t)-1, .gid = (gid_t)-1};
	socklen_t size = sizeof(peer);
	struct outcome unlisted = {.code = EXIT_SENT};
	uid_t user = subordinate;
	int sock = accept4(STDIN_FILENO, NULL, NULL, SOCK_CLOEXEC);

	if (sock < 0 && (errno == EMFILE || errno == ENFILE || errno == ENOMEM || errno == ENOBUFS)) {
		if (waiting_count)
			turn_one_away();
		else
			poll(NULL, 0, PAUSE); /* were this its end, a service manager would soon start it no more */
		return true;
	}
	if (sock < 0)
		return errno == EAGAIN || errno == EINTR || errno == ECONNABORTED;
	getsockopt(sock, SOL_SOCKET, SO_PEERCRED, &peer, &size);
	if (peer.uid == 0 || subids_exclude(peer.uid, &unlisted))
		user = peer.uid;
	waiting[waiting_count++] = (struct waiting){.uid = peer.uid, .user = user, .sock = sock, .since = now()};
	if (waiting_count > WAITING_MAX)
		turn_one_away();
	return true;
}

/* Serve whoever has spoken and may be served now; turn away who waited too long. The oldest come first. */
static void serve_waiting(char *program)
{
	for (size_t i = 0; i < waiting_count;) {
		const struct waiting peer = waiting[i];
		const bool late = now() - peer.since > (peer.spoke ? PATIENCE : SILENCE_MAX);
		const bool may = peer.spoke && may_have_process(peer.user);
		const size_t count = waiting_count;
		struct outcome outcome = {.code = EXIT_SENT};

		if (may && hand_over(i, program))
			continue;
		if (may)
			refuse_errno(&outcome, errno, "cannot start a process that serves");
		else if (peer.spoke)
			refuse(&outcome, EXIT_SYSTEM, "too many requests are at work, %u of them of %s; try again",
				count_served(peer.user), name_of(&peer));
		else
			refuse(&outcome, EXIT_SYSTEM, "no request came by the socket");
		if (late && !peer.told)
			turn_away(i, &outcome);
		i += waiting_count == count;
	}
}

static void forget_the_ended(void)
{
	pid_t ended;

	while ((ended = waitpid(-1, NULL, WNOHANG)) > 0) {
		for (size_t i = 0; i < served_count; i++) {
			if (served[i].pid == ended)
				served[i] = served[--served_count];
		}
	}
}

/* Whoever has gone without a word has had its time: no process is started for that. */
static void hear(struct waiting *peer)
{
	int bytes = 0;

	peer->spoke = ioctl(peer->sock, FIONREAD, &bytes) < 0 || bytes > 0;
	if (!peer->spoke)
		peer->since = now() - SILENCE_MAX - 1;
}

/* Wait until somebody connects or speaks, a helper has ended, or a patience has. False: nothing goes on any more. */
static bool wait_for_any(const sigset_t *signals)
{
	static struct pollfd ready[WAITING_MAX + 1];
	const int64_t patience = waiting_count ? SILENCE_MAX / 4 : IDLE_MAX;
	const struct timespec time = {(time_t)(patience / 1000), (long)(patience % 1000 * 1000000)};
	const size_t count = waiting_count;
	int events;

	ready[0] = (struct pollfd){.fd = STDIN_FILENO, .events = POLLIN};
	for (size_t i = 0; i < count; i++)
		ready[i + 1] = (struct pollfd){.fd = waiting[i].spoke ? -1 : waiting[i].sock, .events = POLLIN};
	events = ppoll(ready, count + 1, &time, signals);
	for (size_t i = 0; i < count && events > 0; i++) {
		if (ready[i + 1].revents)
			hear(&waiting[i]);
	}
	if (events > 0 && ready[0].revents && !accept_one())
		return false;
	return events != 0 || waiting_count || served_count || has_lost;
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

	sigemptyset(&children);
	sigaddset(&children, SIGCHLD);
	sigprocmask(SIG_BLOCK, &children, &before);
	sigaction(SIGCHLD, &ended, NULL);
	while (wait_for_any(&before)) {
		forget_the_ended();
		serve_waiting(program);
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
