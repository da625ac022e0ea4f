// SPDX-License-Identifier: MIT
/*
 * Who sees whose frames on networks that `tapgate up` makes. (What the helper gives on them, and that it gives nothing
 * on what only looks like one: networks.md. What is done to their guards: test_guard.c.)
 */
#include "tests/netns/harness.h"

#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

static const unsigned char frame[64] = {
	0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x52, 0x54, 0, 1, 2, 3, 0x88, 0xb5, 'h', 'e', 'l', 'l', 'o'};

static int64_t milliseconds(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (int64_t)time.tv_sec * 1000 + time.tv_nsec / 1000000;
}

/* Whether that frame comes out of a tap within some time. */
static bool comes_out(const struct result *result, int patience)
{
	const int64_t end = milliseconds() + patience;
	struct pollfd ready = {.fd = result->tap, .events = POLLIN};
	unsigned char buffer[2048];

	for (int64_t left = patience; left > 0; left = end - milliseconds()) {
		if (poll(&ready, 1, (int)left) == 1 &&
			read(result->tap, buffer, sizeof(buffer)) >= (ssize_t)sizeof(frame) &&
			memcmp(buffer, frame, sizeof(frame)) == 0)
			return true;
	}
	return false;
}

/*
 *	alice --- tap (frame) --- lab --- tap, tap --- bob, carol
 *
 * host-only and internal: both see it. nat: nobody does, not even when the helper made one of the taps before and the
 * other after it.
 */
static void test_who_sees_whom(void **state)
{
	static const struct {
		const char *mode, *policy;
		bool seen;
	} rows[] = {
		{"host-only", "allow all\nnetwork lab host-only 172.16.2.1/24\n", true},
		{"internal", "allow all\nnetwork lab internal\n", true},
		{"nat", "allow all\nnetwork lab nat 172.16.2.1/24\n", false},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		static const struct user *const users[] = {&bob, &alice, &carol};
		struct result held[3];

		make_network("lab", rows[i].mode);
		write_policy(rows[i].policy);
		for (size_t j = 0; j < COUNT(held); j++)
			held[j] = hold(
				&(struct call){.about = rows[i].mode, .user = users[j], .argv = ARGS("--br=lab", FD)},
				"lab");
		EXPECT(&held[1], write(held[1].tap, frame, sizeof(frame)) == (ssize_t)sizeof(frame));
		for (size_t j = 0; j < COUNT(held); j += 2)
			EXPECT(&held[j], comes_out(&held[j], rows[i].seen ? SOON : 200) == rows[i].seen);
		for (size_t j = 0; j < COUNT(held); j++)
			give_back(&held[j]);
		clean_world(NULL);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_who_sees_whom),
	};

	return have_program("nft") ? RUN_TESTS(tests) : 0;
}
