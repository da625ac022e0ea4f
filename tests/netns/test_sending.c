// SPDX-License-Identifier: MIT
/* Sockets that the descriptor cannot be sent by: the helper ends at once, and the tap with it. */
#include "tests/netns/harness.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

/*
 *	alice --- (queue full, closed, shut down) --- helper --- tap --- br0, allowed
 *
 * The descriptor does not go out: the tap ends with the helper, at once.
 */
static void test_sockets_that_take_nothing(void **state)
{
	enum { FULL, CLOSED, SHUT_BY_PEER, SHUT_BY_CALLER, ROWS };
	static const char *const abouts[] = {"queue full", "peer closed", "peer reads no more", "writes no more"};

	(void)state;
	prepare_br0();
	for (int row = 0; row < ROWS; row++) {
		int pair[2], least = 1;
		unsigned int filled = 0;
		char *before = snapshot();
		struct result result;

		make_pair(&alice, SOCK_STREAM, pair);
		setsockopt(pair[1], SOL_SOCKET, SO_SNDBUF, &least, sizeof(least));
		if (row == FULL)
			filled = fill(pair[1]);
		else if (row == CLOSED)
			close(pair[0]);
		else
			shutdown(pair[row == SHUT_BY_CALLER], row == SHUT_BY_CALLER ? SHUT_WR : SHUT_RD);
		result = run(
			&(struct call){.about = abouts[row], .socket = pair[1], .peer = row == CLOSED ? 0 : pair[0]});
		EXPECT(&result, result.bytes == filled);
		result.bytes -= filled;
		assert_refused(&result, 1, "cannot send the tap's descriptor: ");
		EXPECT(&result, result.elapsed < SOON);
		assert_unchanged(before);
	}
}

/* Whether the helper is in its last sandbox, and sleeps. */
static bool waits_at_the_end(pid_t pid)
{
	char path[64], text[4096] = "";
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
	file = fopen(path, "re");
	if (!file)
		return false;
	(void)!fread(text, 1, sizeof(text) - 1, file);
	fclose(file);
	return strstr(text, "\nState:\tS") && strstr(text, "\nSeccomp_filters:\t3\n");
}

/*
 *	alice --- (queue full, and a full pipe for standard error) --- helper --- no tap any more --- br0, allowed
 *
 * Before the helper waits for its standard error, the tap that could not be sent is gone.
 */
static void test_no_tap_while_it_speaks(void **state)
{
	int pair[2], least = 1;
	char *before;
	struct running running;
	struct result result;
	struct pollfd end;
	unsigned int filled;

	(void)state;
	prepare_br0();
	before = snapshot();
	make_pair(&alice, SOCK_STREAM, pair);
	setsockopt(pair[1], SOL_SOCKET, SO_SNDBUF, &least, sizeof(least));
	filled = fill(pair[1]);
	running = start(
		&(struct call){.about = "nobody reads", .socket = pair[1], .peer = pair[0], .error = full_pipe()});
	end = (struct pollfd){.fd = running.pidfd, .events = POLLIN};
	for (int tries = 0; !waits_at_the_end(running.pid) && tries < 10000; tries++)
		usleep(200);
	assert_int_equal(count_taps(), 0);
	assert_int_equal(poll(&end, 1, 0), 0); /* it was still there */
	result = finish(&running);
	EXPECT(&result, result.bytes == filled);
	result.bytes -= filled;
	assert_nothing_sent(&result, 1);
	EXPECT(&result, strstr(result.log, "cannot send the tap's descriptor: "));
	assert_unchanged(before);
}

/* Keep descriptors in flight as alice until the test ends; says so by a byte. */
static void keep_in_flight(int ready, unsigned int count)
{
	union {
		char space[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} control = {{0}};
	struct iovec data = {.iov_base = control.space, .iov_len = 1};
	struct msghdr message = {.msg_iov = &data,
		.msg_iovlen = 1,
		.msg_control = control.space,
		.msg_controllen = sizeof(control.space)};
	struct cmsghdr *rights = CMSG_FIRSTHDR(&message);
	int pair[2];

	become(&alice);
	if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) < 0)
		_exit(1);
	rights->cmsg_level = SOL_SOCKET;
	rights->cmsg_type = SCM_RIGHTS;
	rights->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(rights), &pair[0], sizeof(int));
	for (unsigned int i = 0; i < count; i++) {
		if (sendmsg(pair[1], &message, 0) != 1)
			_exit(2);
	}
	(void)!write(ready, "", 1);
	pause();
	_exit(0);
}

static void limit_files_to_20(const struct call *call)
{
	const struct rlimit limit = {20, 20};

	(void)call;
	setrlimit(RLIMIT_NOFILE, &limit);
}

/*
 *	alice --- (40 descriptors in flight, 20 allowed) --- helper --- tap --- br0, allowed
 *
 * The kernel counts descriptors in flight by user (too_many_unix_fds, net/unix/scm.c): ETOOMANYREFS.
 */
static void test_too_many_in_flight(void **state)
{
	struct result result = {.tap = -1};
	int ready[2];
	char byte;
	pid_t child;

	(void)state;
	prepare_br0();
	assert_int_equal(pipe2(ready, O_CLOEXEC), 0);
	child = fork();
	if (child == 0)
		keep_in_flight(ready[1], 40);
	note_child(child);
	close(ready[1]);
	assert_int_equal(read(ready[0], &byte, 1), 1);
	expect_refusal(&(struct call){.about = "40 in flight", .as_caller = limit_files_to_20}, 1,
		"cannot send the tap's descriptor: Too many references");
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	forget_child(child);
	for (int tries = 0; tries < 500; tries++) {
		result = run(&(struct call){.about = "none in flight", .as_caller = limit_files_to_20});
		if (result.code == 0)
			break;
		usleep(10000); /* the kernel collects descriptors in flight on its own time */
	}
	assert_granted(&result, "br0");
	give_back(&result);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_sockets_that_take_nothing),
		TEST(test_no_tap_while_it_speaks),
		TEST(test_too_many_in_flight),
	};

	return RUN_TESTS(tests);
}
