// SPDX-License-Identifier: MIT
/*
 * The reader of a refusal: whoever starts the helper takes the end of its socket for its end, and may not read standard
 * error any further then, as libvirt does. So the helper keeps the socket until the line is read out of the pipe, but
 * not for long.
 */
#include "tests/netns/harness.h"

#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

enum {
	TRIES = 20,	/* for what a busy machine may keep this test from seeing */
	PATIENCE = 200, /* milliseconds that the helper has for a reader (READER_PATIENCE in helper/report.c) */
};

/* Whether a process is in poll(2). */
static bool polls(pid_t pid)
{
	int call = atoi(first_line("/proc/%d/syscall", (int)pid));

#ifdef SYS_poll
	if (call == SYS_poll)
		return true;
#endif
	return call == SYS_ppoll;
}

static bool is_ready(int fd, short events, int milliseconds)
{
	struct pollfd ready = {.fd = fd, .events = events};

	return poll(&ready, 1, milliseconds) == 1;
}

/* A helper that refuses, to the moment when its line is in the pipe. */
static struct running start_refusal(const char *about, int ends[static 2])
{
	static const char *const argv[] = {"tapgate-helper", "--br=br1", FD, NULL};
	struct call call = {.about = about, .argv = argv};
	struct running running;

	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	call.error = ends[1];
	running = start(&call);
	close(ends[1]);
	assert_true(is_ready(ends[0], POLLIN, SOON));
	return running;
}

/* Whether it was seen to wait, with its socket open. */
static bool is_seen_waiting(const struct running *running)
{
	while (!is_ready(running->pidfd, POLLIN, 0)) {
		if (polls(running->pid))
			return !is_ready(running->peer, POLLIN, 0);
	}
	return false;
}

/*
 *	alice --- not --- br1, with a pipe for standard error
 *
 * It waits while the line is in the pipe, with the socket open, and ends when the line is read, or its reader gone.
 */
static void test_reader(void **state)
{
	static const struct {
		const char *about;
		bool reads;
	} rows[] = {{"a reader", true}, {"a reader that goes", false}};

	(void)state;
	prepare_br0();
	for (size_t i = 0; i < COUNT(rows); i++) {
		bool waited = false;

		for (int tries = 0; tries < TRIES && !waited; tries++) {
			char *before = snapshot();
			char line[256];
			int ends[2];
			struct running running = start_refusal(rows[i].about, ends);
			struct result result;
			bool seen = is_seen_waiting(&running);

			if (rows[i].reads)
				assert_true(read(ends[0], line, sizeof(line)) > 0);
			else
				close(ends[0]);
			result = finish(&running);
			if (rows[i].reads)
				close(ends[0]);
			assert_nothing_sent(&result, 3);
			waited = seen && result.elapsed < PATIENCE;
			assert_unchanged(before);
		}
		assert_true(waited);
	}
}

/*
 *	alice --- not --- br1, with a pipe that is read too late
 *
 * It ends by itself, and the line is still there for who comes later.
 */
static void test_late_reader(void **state)
{
	char line[256] = "";
	int ends[2];
	struct running running;
	struct result result;

	(void)state;
	prepare_br0();
	running = start_refusal("a late reader", ends);
	running.call.patience = SOON;
	result = finish(&running);
	assert_nothing_sent(&result, 3);
	EXPECT(&result, result.elapsed >= PATIENCE);
	assert_true(read(ends[0], line, sizeof(line) - 1) > 0);
	assert_memory_equal(line, "tapgate-helper: uid 1000 may not use 'br1'", 42);
	close(ends[0]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_reader),
		TEST(test_late_reader),
	};

	return RUN_TESTS(tests);
}
