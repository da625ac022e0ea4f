// SPDX-License-Identifier: MIT
/* Peers of the service, and the service that they ask. */
#include "tests/netns/peers.h"

#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tests/common/receive.h"
#include "tests/netns/internal.h"

#define LISTENER "/run/stage/usr/libexec/tapgate-listen"

enum { PASSES_MAX = 253 }; /* SCM_MAX_FD */

int listener = -1;

static const struct sockaddr_un place = {.sun_family = AF_UNIX, .sun_path = PLACE};

void listen_there(void)
{
	unlink(PLACE);
	listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_true(listener >= 0 && bind(listener, (const struct sockaddr *)&place, sizeof(place)) == 0);
	assert_true(chmod(PLACE, 0666) == 0 && listen(listener, 128) == 0);
}

bool send_part(int sock, const char *words, size_t size, const int *pass, size_t count)
{
	union {
		char space[CMSG_SPACE(PASSES_MAX * sizeof(int))];
		struct cmsghdr align;
	} control = {{0}};
	struct iovec data = {.iov_base = (char *)(uintptr_t)words, .iov_len = size};
	struct msghdr message = {.msg_iov = &data, .msg_iovlen = 1};
	struct cmsghdr *rights;

	if (count) {
		message.msg_control = control.space;
		message.msg_controllen = CMSG_SPACE(count * sizeof(int));
		rights = &control.align;
		rights->cmsg_level = SOL_SOCKET;
		rights->cmsg_type = SCM_RIGHTS;
		rights->cmsg_len = CMSG_LEN(count * sizeof(int));
		memcpy(CMSG_DATA(rights), pass, count * sizeof(int));
	}
	return sendmsg(sock, &message, MSG_NOSIGNAL) >= 0;
}

/* In a child: connect, ask, and pass on what is answered. */
__attribute__((noreturn)) static void be_peer(const struct peer *peer, int pair_end, int out)
{
	const char *words = peer->words ? peer->words : "--br=br0\0--fd=7";
	size_t size = peer->words ? peer->size : sizeof("--br=br0\0--fd=7");
	const int *pass = peer->pass[0] ? peer->pass : &pair_end;
	size_t passes = peer->nothing_passed ? 0 : peer->pass[1] ? 2 : 1;
	char text[4096];
	ssize_t got;
	int sock;

	if (peer->as_root && !peer->as_root())
		_exit(4);
	if (getuid() == 0)
		become(peer->user);
	if (peer->before)
		peer->before();
	sock = connect_there();
	if (sock < 0)
		_exit(2);
	if (peer->dies)
		_exit(0);
	if (!peer->silent && !send_part(sock, words, size, pass, passes))
		_exit(3);
	if (peer->leaves)
		_exit(0);
	while ((got = read(sock, text, sizeof(text))) > 0)
		(void)!write(out, text, (size_t)got);
	_exit(0);
}

pid_t serve(int sock, unsigned int descriptors)
{
	const struct rlimit limit = {descriptors, descriptors};
	int listens = 0;
	socklen_t size = sizeof(listens);
	pid_t pid;

	getsockopt(sock, SOL_SOCKET, SO_ACCEPTCONN, &listens, &size);
	pid = fork();

	if (pid == 0) {
		int log = open("/dev/null", O_WRONLY);

		if (dup2(sock, 0) < 0 || dup2(log, 1) < 0 || dup2(log, 2) < 0 ||
			(descriptors && setrlimit(RLIMIT_NOFILE, &limit) < 0))
			_exit(125);
		if (listens)
			execl(LISTENER, LISTENER, getenv("HELPER"), (char *)NULL);
		else
			execl(getenv("HELPER"), getenv("HELPER"), "--serve", (char *)NULL);
		_exit(126);
	}
	note_child(pid);
	return pid;
}

int connect_there(void)
{
	const struct timeval patience = {.tv_sec = 20};
	int sock = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (setsockopt(sock, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)) < 0 ||
		connect(sock, (const struct sockaddr *)&place, sizeof(place)) < 0)
		return -1;
	return sock;
}

int connect_as(const struct user *user)
{
	int sock;

	assert_true(setegid(user->gid) == 0 && seteuid(user->uid) == 0);
	sock = connect_there();
	assert_true(sock >= 0);
	assert_true(seteuid(0) == 0 && setegid(0) == 0);
	return sock;
}

void read_answer(int sock, struct answer *answer)
{
	ssize_t got;

	answer->size = 0;
	answer->code = -1;
	while ((got = read(sock, answer->text + answer->size, sizeof(answer->text) - 1 - answer->size)) > 0)
		answer->size += (size_t)got;
	if (answer->size)
		answer->code = answer->text[--answer->size];
	answer->text[answer->size] = '\0';
}

int take_tap(int sock)
{
	const struct received received = receive_message(sock, MSG_DONTWAIT);

	return received.bytes == 1 && received.count == 1 ? received.fds[0] : -1;
}

static int64_t milliseconds(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (int64_t)time.tv_sec * 1000 + time.tv_nsec / 1000000;
}

struct answer ask(struct peer peer)
{
	struct answer answer = {.code = -1};
	int pair[2], out[2], connection, status;
	pid_t asking, serving;

	peer.user = peer.user ? peer.user : &alice;
	make_pair(peer.user, SOCK_STREAM, pair);
	assert_int_equal(pipe2(out, O_CLOEXEC), 0);
	asking = fork();
	if (asking == 0)
		be_peer(&peer, pair[1], out[1]);
	note_child(asking);
	close(out[1]);
	close(pair[1]);
	assert_int_equal(poll(&(struct pollfd){.fd = listener, .events = POLLIN}, 1, SOON), 1);
	connection = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	assert_true(connection >= 0);
	if (peer.dies || peer.leaves) { /* a zombie from here on */
		siginfo_t info;

		assert_int_equal(waitid(P_PID, (id_t)asking, &info, WEXITED | WNOWAIT), 0);
	}
	answer.elapsed = milliseconds();
	serving = serve(connection, 0);
	close(connection);
	read_answer(out[0], &answer);
	assert_true(waitpid(serving, &answer.status, 0) == serving);
	answer.elapsed = milliseconds() - answer.elapsed;
	forget_child(serving);
	assert_true(waitpid(asking, &status, 0) == asking && WIFEXITED(status));
	forget_child(asking);
	assert_int_equal(WEXITSTATUS(status), 0);
	answer.tap = take_tap(pair[0]);
	take_log(serving, answer.log, sizeof(answer.log));
	close(pair[0]);
	close(out[0]);
	return answer;
}

void assert_told(const struct peer *peer, const struct answer *answer, int code, const char *words)
{
	if (answer->code != code || !strstr(answer->text, words) || !strstr(answer->log, words) || answer->tap >= 0 ||
		count_taps() || WEXITSTATUS(answer->status) != code)
		fail_msg("%s: code %d (%d), descriptor %d, taps %u, '%s', log '%s'", peer->about, answer->code,
			WEXITSTATUS(answer->status), answer->tap, count_taps(), answer->text, answer->log);
}

void assert_has_tap(const char *about, struct answer *answer, uid_t uid)
{
	char words[64];

	snprintf(words, sizeof(words), ": granted uid=%u way=socket net=br0 vmm=%d tap=", uid, (int)getpid());
	if (answer->code != 0 || answer->size || answer->tap < 0 || !strstr(answer->log, words))
		fail_msg("%s: code %d, descriptor %d, '%s', log '%s'", about, answer->code, answer->tap, answer->text,
			answer->log);
	snprintf(words, sizeof(words), "tapgate uid=%u net=br0 vmm=%d", uid, (int)getpid());
	assert_string_equal(first_line("/sys/class/net/%s/ifalias", first_tap()), words);
	close(answer->tap);
	assert_int_equal(count_taps(), 0);
}
