// SPDX-License-Identifier: MIT
/*
 * The helper as a service, for where no setuid bit has an effect: under no_new_privs, in containers, on systems that
 * have none. A helper without its capability (the client) hands its request and its caller's socket to one that a
 * service manager started with it (`tapgate-helper --serve`, one process for each connection on descriptor 0).
 *
 * The one that serves becomes at once what a setuid program started by the client would be, and takes the same steps in
 * the same order: policy, limits, log and messages are the same. It believes nothing that the client says of itself.
 * Who asks is who connected (SO_PEERCRED and SO_PEERGROUPS, unix(7)), in whatever namespaces that process is.
 *
 * The request is what comes at once: the words of the command line behind the program's name, each with its NUL, at
 * most REQUEST_MAX bytes; and with them the descriptor that --fd names (SCM_RIGHTS). The answer, up to the end of the
 * connection: what would have been written to standard error, and a byte with the exit code.
 *
 * The words are looked at before the descriptor is taken (MSG_PEEK without room for one installs none), and that is
 * taken from nobody whom the policy allows nothing: it may be a file of a file system that its user serves (fuse(4)),
 * and then whatever ends the process waits for that user. Nothing says what is on its way without taking it.
 *
 * SO_PEERPIDFD is not asked for: nothing is decided by a process id.
 */
#include "helper/helper.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

enum {
	REQUEST_MAX = 512,    /* bytes; the longest command line that request_parse takes has less than 200 */
	WORDS_MAX = 16,	      /* of it */
	REQUEST_PATIENCE = 1, /* seconds for the request of who has connected */
	CONNECT_PATIENCE = 5, /* seconds for a service whose queue is full */
	ANSWER_MAX = 2048,
	OVERFLOW_ID = 65534, /* how an id looks that a user namespace does not map (user_namespaces(7)) */
};

/* Room for one descriptor beside a message. */
union passed {
	char space[CMSG_SPACE(sizeof(int))];
	struct cmsghdr align;
};

/* --- who serves --------------------------------------------------------------------------------------------------- */

bool service_is_asked(int argc, char **argv)
{
	return argc == 2 && strcmp(argv[1], SERVICE_WORD) == 0 && getuid() == 0 && geteuid() == 0;
}

/* The supplementary groups of who connected; *count of them, from malloc. NULL and errno if they cannot be had. */
static gid_t *peer_groups(size_t *count)
{
	socklen_t size = 0;
	gid_t *groups;

	if (getsockopt(STDIN_FILENO, SOL_SOCKET, SO_PEERGROUPS, NULL, &size) < 0 && errno != ERANGE)
		return NULL;
	groups = calloc(1, size + sizeof(*groups));
	if (groups && getsockopt(STDIN_FILENO, SOL_SOCKET, SO_PEERGROUPS, groups, &size) < 0) {
		free(groups);
		groups = NULL;
	}
	*count = size / sizeof(*groups);
	return groups;
}

/*
 * The real ids become those of who connected and the effective ones stay root's, as execve(2) leaves them in a setuid
 * program: the steps behind need not know the difference.
 */
static bool become_started_by(const struct ucred *peer, struct outcome *outcome)
{
	size_t count = 0;
	gid_t *groups = peer_groups(&count);
	bool became = groups && setgroups(count, groups) == 0 && setresgid(peer->gid, 0, 0) == 0 &&
		      setresuid(peer->uid, 0, 0) == 0 && getgroups(0, NULL) == (int)count && getgid() == peer->gid &&
		      getuid() == peer->uid;

	if (!became)
		refuse_errno(outcome, errno, "cannot take the ids of uid %u, who connected", peer->uid);
	free(groups);
	return became;
}

bool service_take_peer(struct order *order, struct outcome *outcome)
{
	const struct timeval patience = {.tv_sec = REQUEST_PATIENCE};
	const int yes = 1;
	struct ucred peer = {.pid = 0, .uid = (uid_t)-1, .gid = (gid_t)-1};
	socklen_t size = sizeof(peer);

	if (!peer_is_connected(STDIN_FILENO) || getsockopt(STDIN_FILENO, SOL_SOCKET, SO_PEERCRED, &peer, &size) < 0 ||
		peer.uid == (uid_t)-1)
		return refuse(outcome, EXIT_USAGE,
			"--serve without a connection on standard input; it is for service managers, see tapgate-helper.socket");
	order->caller.uid = peer.uid;
	order->served = dup3(STDIN_FILENO, FD_ERROR, O_CLOEXEC) == FD_ERROR; /* what is answered goes there */
	/* An urgent byte (MSG_OOB) is one like another: else who sent nothing more would seem to have spoken. */
	if (!order->served || setsockopt(STDIN_FILENO, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)) < 0 ||
		setsockopt(STDIN_FILENO, SOL_SOCKET, SO_OOBINLINE, &yes, sizeof(yes)) < 0)
		return refuse_errno(outcome, errno, "cannot set up the connection");
	return become_started_by(&peer, outcome);
}

/* Whether one descriptor came beside a message, as FD_PEER: the lowest number that was free. */
static bool has_socket(const struct msghdr *message)
{
	const struct cmsghdr *rights = CMSG_FIRSTHDR(message);
	int fd = -1;

	if (!rights || rights->cmsg_level != SOL_SOCKET || rights->cmsg_type != SCM_RIGHTS ||
		rights->cmsg_len != CMSG_LEN(sizeof(fd)))
		return false;
	memcpy(&fd, CMSG_DATA(rights), sizeof(fd));
	return fd == FD_PEER;
}

/* Cut the request into words; how many there are, or 0: it is none. */
static int cut_words(char *text, size_t size, char *words[static WORDS_MAX])
{
	int count = 0;

	if (size == 0 || size > REQUEST_MAX || text[size - 1] != '\0')
		return 0;
	for (char *at = text; at < text + size; at += strlen(at) + 1) {
		if (count == WORDS_MAX)
			return 0;
		words[count++] = at;
	}
	return count;
}

/* A byte more than is taken, so that what is too long is seen. */
static struct {
	char text[REQUEST_MAX + 1];
	size_t size;
} received;

bool service_receive(int *argc, char ***argv, struct outcome *outcome)
{
	static char name[] = "tapgate-helper", *words[WORDS_MAX + 2] = {name};
	struct iovec data = {.iov_base = received.text, .iov_len = sizeof(received.text)};
	struct msghdr message = {.msg_iov = &data, .msg_iovlen = 1};
	ssize_t size = recvmsg(FD_ERROR, &message, MSG_PEEK);

	if (size < 0)
		return refuse_errno(outcome, errno, "no request came by the socket");
	received.size = (size_t)size;
	*argc = 1 + cut_words(received.text, received.size, words + 1);
	*argv = words;
	return *argc > 1 ||
	       refuse(outcome, EXIT_USAGE,
		       "the request that came by the socket is none, expected at most %d words in %d bytes", WORDS_MAX,
		       REQUEST_MAX);
}

bool service_take_socket(struct order *order, struct outcome *outcome)
{
	union passed passed = {{0}};
	struct iovec data = {.iov_base = received.text, .iov_len = received.size};
	struct msghdr message = {
		.msg_iov = &data, .msg_iovlen = 1, .msg_control = passed.space, .msg_controllen = sizeof(passed.space)};

	if (recvmsg(FD_ERROR, &message, MSG_CMSG_CLOEXEC) < 0)
		return refuse_errno(outcome, errno, "no request came by the socket");
	if (!has_socket(&message))
		return refuse(outcome, EXIT_USAGE, "--fd=%d is not open, expected a socket", order->request.fd);
	return peer_take(order, outcome);
}

void service_answer(int code)
{
	const unsigned char byte = (unsigned char)code;

	if (write(FD_ERROR, &byte, 1) < 0)
		return; /* nobody is there to be told */
}

/* --- who asks ----------------------------------------------------------------------------------------------------- */

/* Connected to the service; -1 and errno: there is none, or none for this user. */
static int reach(void)
{
	const struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = SERVICE_SOCKET};
	const struct timeval patience = {.tv_sec = CONNECT_PATIENCE};
	int sock = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int error;

	if (sock < 0 || setsockopt(sock, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience)) < 0)
		return -1;
	/* Whoever is stopped and goes on is interrupted, as there is a patience (signal(7)). */
	do
		error = connect(sock, (const struct sockaddr *)&address, sizeof(address)) < 0 ? errno : 0;
	while (error == EINTR);
	if (error)
		close(sock);
	errno = error;
	return error ? -1 : sock;
}

/* The words of the command line behind the program's name, each with its NUL. The bytes used; 0: they are too many. */
static size_t write_words(int argc, char **argv, char text[static REQUEST_MAX])
{
	size_t used = 0;

	for (int i = 1; i < argc; i++) {
		size_t size = strlen(argv[i]) + 1;

		if (size > REQUEST_MAX - used)
			return 0;
		memcpy(text + used, argv[i], size);
		used += size;
	}
	return used;
}

/* One message: the words, and a descriptor; -1: none. */
static bool send_request(int sock, int fd, const char *text, size_t size)
{
	union passed passed = {{0}};
	struct iovec data = {.iov_base = (char *)(uintptr_t)text, .iov_len = size};
	struct msghdr message = {.msg_iov = &data, .msg_iovlen = 1};
	struct cmsghdr *rights;
	ssize_t sent;

	if (fd >= 0) {
		message.msg_control = passed.space;
		message.msg_controllen = sizeof(passed.space);
		rights = CMSG_FIRSTHDR(&message);
		rights->cmsg_level = SOL_SOCKET;
		rights->cmsg_type = SCM_RIGHTS;
		rights->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(rights), &fd, sizeof(fd));
	}
	do
		sent = sendmsg(sock, &message, MSG_NOSIGNAL);
	while (sent < 0 && errno == EINTR);
	return sent == (ssize_t)size;
}

/* Pass the answer's text on, and return its code; -1: it has none. */
static int pass_answer(int sock)
{
	char text[ANSWER_MAX];
	const ssize_t size = recv(sock, text, sizeof(text), MSG_WAITALL); /* up to the end of the other side */

	if (size <= 0 || (unsigned char)text[size - 1] > EXIT_LIMIT)
		return -1;
	if (size > 1)
		report_pass_on(text, (size_t)size - 1);
	return text[size - 1];
}

/* Why it cannot be asked, behind the reason why there is no capability here. Where there is none, that says enough. */
static void explain_unreached(int error, struct outcome *outcome)
{
	const char *why = error == EACCES	  ? "this user may not use it"
			  : error == ECONNREFUSED ? "nothing listens there"
			  : error == EAGAIN	  ? "too many wait there"
						  : NULL;

	if (why)
		text_append(outcome->text, sizeof(outcome->text), "; " SERVICE_SOCKET ": %s", why);
}

/*
 * Whether it is root who listens, as the kernel noted then (unix(7)). In a user namespace the host's root looks like
 * 65534, also where that number stands for somebody in it, as under podman. What another user put there is told
 * nothing, and gets no descriptor.
 */
static bool is_roots(int sock, struct outcome *outcome)
{
	struct ucred peer = {.pid = 0, .uid = (uid_t)-1, .gid = (gid_t)-1};
	socklen_t size = sizeof(peer);

	if (getsockopt(sock, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 && (peer.uid == 0 || peer.uid == OVERFLOW_ID))
		return true;
	text_append(outcome->text, sizeof(outcome->text), "; " SERVICE_SOCKET " is served by uid %u, not by root",
		peer.uid);
	return false;
}

/* Ask it, and pass on what it answers: the code; -1, with the reason, if there is none. */
static int ask(int sock, int fd, int argc, char **argv, struct outcome *outcome)
{
	char text[REQUEST_MAX];
	const size_t size = write_words(argc, argv, text);
	int code;

	*outcome = (struct outcome){.code = EXIT_SENT};
	if (!size || !send_request(sock, fd, text, size)) {
		refuse_errno(outcome, errno, "cannot ask the service behind /run/tapgate/helper.sock");
		return -1;
	}
	code = pass_answer(sock);
	if (code < 0)
		refuse(outcome, EXIT_SYSTEM,
			"the service behind /run/tapgate/helper.sock ended without an answer; its log says why, or try again");
	return code;
}

bool service_ask(int argc, char **argv, struct order *order, struct outcome *outcome, int *code)
{
	struct outcome parsed = {.code = EXIT_SENT};
	/* What is wrong in a command line needs no privilege to be seen, nor a process that serves it. */
	const bool well_formed = request_parse(argc, argv, &order->request, &parsed);
	const int fd = order->request.fd;
	/* As the caller left it: not one of this process's own. */
	const bool given = well_formed && fd != order->log && fcntl(fd, F_GETFD) >= 0;
	const int sock = well_formed ? reach() : access(SERVICE_SOCKET, W_OK);

	*code = -1;
	if (sock < 0)
		explain_unreached(errno, outcome);
	else if (!well_formed)
		*outcome = parsed;
	else if (is_roots(sock, outcome))
		*code = ask(sock, given ? fd : -1, argc, argv, outcome);
	if (well_formed && sock >= 0)
		close(sock);
	return *code >= 0;
}
