// SPDX-License-Identifier: MIT
/*
 * Grants: many at once, names that are taken, and that a tap is nobody else's and ends with its descriptor. (One by
 * one: grants.md.)
 */
#include "tests/netns/harness.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

/*
 *	alice --- tap0 ... tap39 --- br0
 *
 * More at once than names that the helper tries: each a tap of its own, all of them gone in the end.
 */
static void test_many(void **state)
{
	struct result results[40];
	char *before;

	(void)state;
	prepare_br0();
	before = snapshot();
	for (size_t i = 0; i < COUNT(results); i++)
		results[i] = hold(&(struct call){.about = "one of many"}, "br0");
	assert_int_equal(count_taps(), COUNT(results));
	for (size_t i = 0; i < COUNT(results); i++)
		give_back(&results[i]);
	assert_unchanged(before);
}

/*
 *	bob --- tg<pid>-0 ... tg<pid>-15 (persistent, not on the bridge)
 *	alice --- tap --- br0
 *
 * The names that the helper would take are taken, by another user's taps, by her own, and by taps that are no taps:
 * she gets one of her own.
 */
static void test_names_that_are_taken(void **state)
{
	(void)state;
	write_policy("allow br0\n");
	for (unsigned int row = 0; row < 3; row++) {
		char *before;

		make_bridge("br0");
		for (int n = 0; n < 16; n++) {
			char name[16];

			snprintf(name, sizeof(name), "tg%d-%d", (int)getpid(), n);
			if (row < 2)
				make_tap(name, row == 0 ? BOB : ALICE, 0);
			else
				command("ip link add %s type ifb", name);
		}
		before = snapshot();
		expect_grant(&(struct call){.about = row == 0 ? "bob's" : row == 1 ? "her own" : "no taps"}, "br0");
		assert_unchanged(before);
		clean_world(NULL);
		write_policy("allow br0\n");
	}
}

/* Take an existing tap by its name: the errno value, or 0. */
static int join_tap(void *context)
{
	struct ifreq request = {.ifr_flags = IFF_TAP | IFF_NO_PI};
	int fd = open("/dev/net/tun", O_RDWR);

	snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", (const char *)context);
	return fd < 0 ? 200 : ioctl(fd, TUNSETIFF, &request) < 0 ? errno : 0;
}

/*
 *	alice --- tap --- br0
 *	bob --- (the same tap?)
 *
 * No other user can join it: not while alice holds it, nor when she made it persistent and left it.
 */
static void test_nobody_else_joins(void **state)
{
	struct ifreq request = {0};
	struct result result;

	(void)state;
	prepare_br0();
	result = hold(&(struct call){.about = "joined"}, "br0");
	EXPECT(&result, ioctl(result.tap, TUNGETIFF, &request) == 0);
	EXPECT(&result, as_user(&bob, join_tap, request.ifr_name) == EPERM);
	EXPECT(&result, as_user(&alice, join_tap, request.ifr_name) == EBUSY); /* she has one queue, and it is in use */
	EXPECT(&result, ioctl(result.tap, TUNSETPERSIST, 1UL) == 0);
	close(result.tap);
	EXPECT(&result, as_user(&bob, join_tap, request.ifr_name) == EPERM);
	EXPECT(&result, as_user(&alice, join_tap, request.ifr_name) == 0);
}

/*
 *	alice --- (descriptor in flight) --- socket that nobody reads, then closed
 *
 * A descriptor that was sent and never received ends with the socket.
 */
static void test_never_received(void **state)
{
	int pair[2];
	struct result result;

	(void)state;
	prepare_br0();
	make_pair(&alice, SOCK_STREAM, pair);
	result = run(&(struct call){.socket = pair[1]}); /* without a peer: nothing is received */
	EXPECT(&result, result.code == 0);
	EXPECT(&result, count_taps() == 1);
	close(pair[0]);
	close(pair[1]);
	for (int tries = 0; count_taps() > 0 && tries < 500; tries++)
		usleep(10000); /* the kernel collects descriptors in flight on its own time */
	EXPECT(&result, count_taps() == 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_many),
		TEST(test_names_that_are_taken),
		TEST(test_nobody_else_joins),
		TEST(test_never_received),
	};

	return RUN_TESTS(tests);
}
